//! Answers as HTTP.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::cluster::api::accept::{View, Wanted};
use crate::cluster::api::status::Refusal;
use crate::cluster::api::{form, subresource};

pub(super) fn scale_answer(scale: &Value, wanted: Wanted, now: jiff::Timestamp) -> Response<Body> {
    match wanted.view {
        View::Table => json_answer(&subresource::scale_table(scale, now)),
        View::Whole | View::Metadata => json_answer(scale),
    }
}

/// A Status of success.
pub(super) fn success(code: u16) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code})
}

pub(super) fn answer(status: StatusCode, media_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// An answer of JSON.
pub(super) fn json_answer(value: &Value) -> Response<Body> {
    let mut response = answer(StatusCode::OK, "application/json", Body::from(format!("{value}\n")));
    response.extensions_mut().insert(form::Malleable);
    response
}

/// An answer of JSON that is always indented.
pub(super) fn raw_answer(value: &Value) -> Response<Body> {
    answer(StatusCode::OK, "application/json", Body::from(form::indented(value)))
}

pub(super) fn bytes_answer(bytes: Bytes, media_type: &'static str) -> Response<Body> {
    answer(StatusCode::OK, media_type, Body::from(bytes))
}

pub(super) fn text_answer(text: String) -> Response<Body> {
    answer(StatusCode::OK, "text/plain; charset=utf-8", Body::from(text))
}

pub(super) fn with_status(mut response: Response<Body>, status: StatusCode) -> Response<Body> {
    *response.status_mut() = status;
    response
}

/// A path that nobody answers.
pub(super) fn not_found() -> Response<Body> {
    answer(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", Body::from("404 page not found\n"))
}

/// A refusal as an answer.
pub fn refused(refusal: &Refusal) -> Response<Body> {
    let status = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    with_status(json_answer(&refusal.to_value()), status)
}

pub(super) fn warn(response: &mut Response<Body>, warnings: impl IntoIterator<Item = String>) {
    for warning in warnings {
        let text = format!("299 - \"{}\"", warning.replace('\\', "\\\\").replace('"', "\\\""));
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
}
