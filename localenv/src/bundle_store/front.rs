//! What stands in front of `s3s-fs`: faults, conditional reads, and a record of all answers.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use s3s::service::S3Service;
use tokio::sync::RwLock;

use super::fault::StoreFault;

/// The largest request.
const MOST_BYTES: usize = 64 << 20;

pub struct Front {
    service: S3Service,
    faults: Mutex<HashMap<String, StoreFault>>,
    answers: Mutex<BTreeMap<String, Vec<u16>>>,
    /// Objects change only between answers: `s3s-fs` opens a file and then works out the ETag from its name.
    still: RwLock<()>,
}

impl Front {
    pub fn new(service: S3Service) -> Self {
        Self { service, faults: Mutex::default(), answers: Mutex::default(), still: RwLock::default() }
    }

    /// Does `change` while no answer is being made. Blocks, within a runtime too.
    pub fn between_answers<T>(&self, change: impl FnOnce() -> T) -> T {
        loop {
            if let Ok(_still) = self.still.try_write() {
                return change();
            }
            std::thread::yield_now();
        }
    }

    pub fn fail(&self, path: &str, fault: StoreFault) {
        lock(&self.faults).insert(path.to_owned(), fault);
    }

    pub fn mend(&self, path: &str) {
        lock(&self.faults).remove(path);
    }

    pub fn answers(&self, path: &str) -> Vec<u16> {
        lock(&self.answers).get(path).cloned().unwrap_or_default()
    }

    async fn answer(&self, path: &str, request: Request) -> Response {
        let fault = lock(&self.faults).get(path).cloned();
        match fault {
            Some(StoreFault::Silence) => std::future::pending().await,
            Some(StoreFault::Refuses { status, code, message }) => refusal(status, code, message),
            None => self.pass(request).await,
        }
    }

    async fn pass(&self, request: Request) -> Response {
        let known = match request.method() {
            &Method::GET => request.headers().get(IF_NONE_MATCH).cloned(),
            _ => None,
        };
        let (parts, body) = request.into_parts();
        let Ok(bytes) = to_bytes(body, MOST_BYTES).await else {
            return refusal(400, "EntityTooLarge", "the body is too large or broke off");
        };
        let request = axum::http::Request::from_parts(parts, s3s::Body::from(bytes));
        let still = self.still.read().await;
        let answer = match self.service.call(request).await {
            Ok(answer) => answer,
            Err(error) => return refusal(500, "InternalError", &format!("{error:?}")),
        };
        drop(still);
        let etag = answer.headers().get(ETAG).cloned();
        match (known, etag) {
            (Some(known), Some(etag)) if answer.status().is_success() && known == etag => {
                (StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response()
            }
            _ => answer.map(Body::new),
        }
    }
}

pub async fn serve(State(front): State<Arc<Front>>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let answer = front.answer(&path, request).await;
    lock(&front.answers).entry(path).or_default().push(answer.status().as_u16());
    answer
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "application/xml")], body).into_response()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
