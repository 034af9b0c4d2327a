//! Every request ends in time, also one whose body never comes, and its connection with it.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};

/// From the end of the head to the beginning of the answer.
const REQUEST: Duration = Duration::from_secs(10);

/// Answers 408 for requests that take longer. No connection is kept for a second one: there is room for few.
pub(super) fn bound(router: Router) -> Router {
    router.layer(from_fn(check))
}

async fn check(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(REQUEST, next.run(request)).await;
    let mut answer = answer.unwrap_or_else(|_| {
        let error = format!("the request did not come to its end within {} s", REQUEST.as_secs());
        (StatusCode::REQUEST_TIMEOUT, format!("{}\n", serde_json::json!({ "error": error }))).into_response()
    });
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}
