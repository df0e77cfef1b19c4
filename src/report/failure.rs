//! What a program reads of an `apply` that did not do its work. The form is a promise: fields are added,
//! never changed.

use schemars::JsonSchema;
use serde::Serialize;

use super::json;

/// What `postls apply --format json` prints instead of the changes where it did not make them.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "postls apply, failed")]
pub(super) struct Failure {
    /// The name of this form. Fields may be added to it; none is changed or taken away.
    #[schemars(extend("const" = "postls/failure/v1"))]
    schema: &'static str,
    /// Always true.
    #[schemars(extend("const" = true))]
    failed: bool,
    /// Whether something is not as it was before: only with status 4.
    changed: bool,
    /// The exit status: 2 it was refused and nothing was changed, 3 something failed and everything was
    /// put back, 4 not everything could be put back.
    #[schemars(range(min = 2, max = 4))]
    status: u8,
    /// Why, in words: the same as on standard error, with line ends. What is not printable is `?`.
    message: String,
}

/// The failure as one JSON object.
pub fn to_json(why: &str, status: u8) -> String {
    let lines: Vec<String> = why.lines().map(super::human::printable).collect();
    json::pretty(&Failure {
        schema: "postls/failure/v1",
        failed: true,
        changed: status == 4,
        status,
        message: lines.join("\n"),
    })
}
