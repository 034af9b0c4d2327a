//! S3 for a few objects on one machine: a folder of buckets behind S3's API, with ETags, signatures and faults on command.
//!
//! The API is `s3s-fs`, which checks every signature; conditional reads and faults are added in front of it.

mod fault;
mod front;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::runtime::Runtime;

use crate::listener::Server;
use front::Front;

pub use fault::StoreFault;

/// A running store. It ends with this value; the folder stays.
pub struct BundleStore {
    folder: PathBuf,
    endpoint: String,
    front: Arc<Front>,
    server: Option<Server>,
    runtime: Option<Runtime>,
}

impl BundleStore {
    /// Serves `folder` (made when missing) on a free port; its folders are buckets. Works with or without a tokio runtime.
    /// Takes the credentials of the environment, else `test` and `test`.
    ///
    /// # Errors
    /// The folder cannot be made, or no port can be bound.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let files = FileSystem::new(folder).map_err(|error| anyhow::anyhow!("cannot serve the folder: {error:?}"))?;
        let mut service = S3ServiceBuilder::new(files);
        let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or("test".into());
        service.set_auth(SimpleAuth::from_single(of("AWS_ACCESS_KEY_ID"), of("AWS_SECRET_ACCESS_KEY")));
        let front = Arc::new(Front::new(service.build()));
        let router = Router::new().fallback(front::serve).with_state(front.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (tell, started) = std::sync::mpsc::channel();
        // Spawned and not blocked on, so that the caller may stand inside another runtime.
        runtime.spawn(async move { tell.send(Server::start(0, router).await) });
        let server = started.recv().context("the store did not start")??;
        let endpoint = format!("http://{}", server.address());
        Ok(Self { folder: folder.to_owned(), endpoint, front, server: Some(server), runtime: Some(runtime) })
    }

    /// The endpoint for the SDKs, for example `http://127.0.0.1:40123`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Puts an object there at once and whole, as an upload does; `path` is `bucket/key`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn put(&self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let file = self.folder.join(path);
        let parent = file.parent().context("a path is bucket/key")?;
        fs::create_dir_all(parent)?;
        let beside = self.folder.join(format!("{}.new", path.replace('/', "+")));
        fs::write(&beside, bytes)?;
        Ok(self.front.between_answers(|| fs::rename(beside, file))?)
    }

    /// The object's bytes, as somebody wrote them.
    ///
    /// # Errors
    /// There is none.
    pub fn read(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        fs::read(self.folder.join(path)).with_context(|| format!("no object {path}"))
    }

    /// From now on every request for `bucket/key` gets this answer.
    pub fn fail(&self, path: &str, fault: StoreFault) {
        self.front.fail(path, fault);
    }

    /// Ends the fault of `bucket/key`.
    pub fn mend(&self, path: &str) {
        self.front.mend(path);
    }

    /// The HTTP statuses of all answers for `bucket/key`, in order.
    #[must_use]
    pub fn answers(&self, path: &str) -> Vec<u16> {
        self.front.answers(path)
    }
}

impl Drop for BundleStore {
    fn drop(&mut self) {
        drop(self.server.take());
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
