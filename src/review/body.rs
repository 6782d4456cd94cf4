//! Bodies of requests, within their bounds: what says to be longer is refused before a byte is read.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, header};

use super::failure::Failure;

/// The length that a request says its body has; `None` where it says none.
pub(super) fn told_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Fails where a request says that its body is longer than `most` bytes.
pub(super) fn within(headers: &HeaderMap, most: u64) -> Result<(), Failure> {
    if told_length(headers).is_some_and(|told| told > most) { Err(Failure::TooLarge) } else { Ok(()) }
}

/// Reads a body of `most` bytes at most, which must have come within `time`.
///
/// # Errors
/// When it is longer, later, or breaks off.
pub(super) async fn read(request: Request, most: usize, time: Duration) -> Result<Bytes, Failure> {
    within(request.headers(), most as u64)?;
    let reading = axum::body::to_bytes(request.into_body(), most);
    match tokio::time::timeout(time, reading).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_long(&error) => Err(Failure::TooLarge),
        Ok(Err(_)) => Err(Failure::Bad("form")),
        Err(_) => Err(Failure::Slow),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
