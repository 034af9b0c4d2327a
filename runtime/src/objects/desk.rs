//! The store for who has no tokio runtime: one thread with a runtime of its own does what it is asked, in order.
//!
//! Every call comes back: what takes longer than the store's timeout (and a little) is an error, and the thread, which
//! never waits longer either, is left to end by itself.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use super::fault::ObjectError;
use super::settings::ObjectStoreSettings;
use super::uri::ObjectUri;
use super::{ObjectStore, Sighting, Upload};

/// For reading region and credentials (the machine's metadata service may have to be asked) on top of a call's timeout.
const CONNECTING: Duration = Duration::from_secs(10);

/// Blocking calls to a store. The thread ends when this is dropped.
#[derive(Debug)]
pub struct ObjectDesk {
    jobs: Sender<Job>,
    patience: Duration,
}

type Reply<T> = Sender<Result<T, ObjectError>>;

enum Job {
    Get(ObjectUri, Option<String>, Reply<Sighting>),
    Put(ObjectUri, Upload, Reply<()>),
}

impl ObjectDesk {
    /// Starts the thread; the store is connected with the first call.
    ///
    /// # Errors
    /// The operating system gives no thread or no runtime.
    pub fn start(settings: ObjectStoreSettings) -> std::io::Result<Self> {
        let (jobs, received) = channel();
        let patience = settings.timeout + CONNECTING;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = move || runtime.block_on(work(&settings, &received));
        thread::Builder::new().name("objects".to_owned()).spawn(work)?;
        Ok(Self { jobs, patience })
    }

    /// As [`ObjectStore::get_if_changed`].
    ///
    /// # Errors
    /// As there.
    pub fn get_if_changed(&self, uri: &ObjectUri, etag: Option<&str>) -> Result<Sighting, ObjectError> {
        self.ask(uri, |reply| Job::Get(uri.clone(), etag.map(str::to_owned), reply))
    }

    /// As [`ObjectStore::put`].
    ///
    /// # Errors
    /// As there.
    pub fn put(&self, uri: &ObjectUri, upload: Upload) -> Result<(), ObjectError> {
        self.ask(uri, |reply| Job::Put(uri.clone(), upload, reply))
    }

    fn ask<T>(&self, uri: &ObjectUri, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, ObjectError> {
        let (reply, answer) = channel();
        // If the thread is gone, the wait for its answer ends at once.
        let _ = self.jobs.send(job(reply));
        answer.recv_timeout(self.patience).unwrap_or_else(|_| Err(ObjectError::late(uri, self.patience)))
    }
}

async fn work(settings: &ObjectStoreSettings, jobs: &Receiver<Job>) {
    let mut store = None;
    while let Ok(job) = jobs.recv() {
        // Nobody waits for an answer any more only when it is late.
        match job {
            Job::Get(uri, etag, reply) => {
                let done = match connected(&mut store, settings, &uri).await {
                    Ok(store) => store.get_if_changed(&uri, etag.as_deref()).await,
                    Err(error) => Err(error),
                };
                let _ = reply.send(done);
            }
            Job::Put(uri, upload, reply) => {
                let done = match connected(&mut store, settings, &uri).await {
                    Ok(store) => store.put(&uri, upload).await,
                    Err(error) => Err(error),
                };
                let _ = reply.send(done);
            }
        }
    }
}

/// Connects once; what did not work is tried again with the next call.
async fn connected<'a>(
    store: &'a mut Option<ObjectStore>,
    settings: &ObjectStoreSettings,
    uri: &ObjectUri,
) -> Result<&'a ObjectStore, ObjectError> {
    if store.is_none() {
        let opened = tokio::time::timeout(CONNECTING, ObjectStore::connect(settings)).await;
        *store = Some(opened.unwrap_or_else(|_| Err(ObjectError::late(uri, CONNECTING)))?);
    }
    store.as_ref().ok_or_else(ObjectError::no_region)
}
