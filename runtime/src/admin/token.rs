//! Asks every request for the bearer token.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::token::BearerToken;

/// Lets a request through only with the token; all of them when there is none.
pub(super) fn guard(router: Router, token: Option<BearerToken>) -> Router {
    match token {
        Some(token) => router.layer(from_fn_with_state(Arc::new(token), check)),
        None => router,
    }
}

async fn check(State(token): State<Arc<BearerToken>>, request: Request, next: Next) -> Response {
    if token.is_in(request.headers()) {
        return next.run(request).await;
    }
    let sentence = format!("a bearer token is needed: authorization: Bearer <token of {}>", token.setting());
    let body = format!("{}\n", serde_json::json!({ "error": sentence }));
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], body).into_response()
}
