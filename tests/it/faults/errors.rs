//! Calls to the kernel that fail: a full disk, a broken one, one that is read-only by now, a used-up quota, too many open
//! files. Once, and from then on.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::kill::recovers_by_apply;
use super::scene::{self, Case, Prepared, Scene, postls};
use super::tracer::{self, Call, Fault};
use super::tree::nothing_is_left;
use super::{all, try_each};
use crate::judges;

/// What the kernel may say to a call.
fn errors(call: &Call) -> &'static [&'static str] {
    match call.name.as_str() {
        "open" | "openat" | "creat" if call.text.contains("O_CREAT") => {
            &["ENOSPC", "EROFS", "EDQUOT", "EACCES", "EMFILE", "EIO"]
        }
        "open" | "openat" => &["EIO", "EACCES", "EMFILE"],
        "write" | "writev" | "pwrite64" | "pwritev" | "copy_file_range" | "sendfile" => {
            &["ENOSPC", "EIO", "EDQUOT", "EROFS"]
        }
        "fsync" | "fdatasync" | "sync_file_range" => &["EIO", "ENOSPC", "EDQUOT", "EROFS"],
        "rename" | "renameat" | "renameat2" => &["EIO", "ENOSPC", "EROFS", "EDQUOT", "EACCES"],
        "unlink" | "unlinkat" | "rmdir" => &["EIO", "EROFS", "EACCES"],
        "link" | "linkat" | "symlink" | "symlinkat" | "mkdir" | "mkdirat" => {
            &["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO"]
        }
        "flock" | "fcntl" => &["ENOLCK", "EIO"],
        "clone" | "clone3" | "vfork" | "fork" => &["EAGAIN", "ENOMEM"],
        "truncate" | "ftruncate" | "fallocate" => &["ENOSPC", "EIO", "EROFS"],
        "read" | "getdents64" => &["EIO"],
        _ => &["EIO", "EROFS", "EPERM"],
    }
}

/// How a message says it.
fn reason(error: &str) -> &'static str {
    match error {
        "ENOSPC" => "No space left on device",
        "EROFS" => "Read-only file system",
        "EDQUOT" => "quota exceeded",
        "EACCES" => "Permission denied",
        "EMFILE" => "Too many open files",
        "EIO" => "Input/output error",
        "ENOLCK" => "No locks available",
        "EAGAIN" => "Resource temporarily unavailable",
        "ENOMEM" => "Cannot allocate memory",
        "EPERM" => "Operation not permitted",
        other => panic!("{other} has no text here"),
    }
}

struct Faulty<'p> {
    prepared: &'p Prepared,
    was: PathBuf,
    call: Call,
    fault: Fault,
}

#[test]
fn a_failing_call_changes_nothing_or_is_got_over() {
    let Some(postfix) = judges::installed() else { return };
    if !tracer::usable() {
        return;
    }
    let prepared: Vec<Prepared> = scene::of(postfix).map(Scene::prepare).collect();
    let mut cases = Vec::new();
    for (number, prepared) in prepared.iter().enumerate() {
        let (was, calls) = calls(prepared);
        for (index, call) in calls.into_iter().enumerate() {
            let errors = errors(&call);
            let mut choice: Vec<Fault> =
                errors.iter().flat_map(|it| [Fault::Once(it), Fault::FromThenOn(it)]).collect();
            if ["write", "openat", "flock", "fcntl"].contains(&call.name.as_str()) {
                // From then on it would be tried for ever, and rightly.
                choice.push(Fault::Once("EINTR"));
            }
            if !all() {
                // Another error at each call; of the later scenes a third of the calls.
                let at = index + number;
                let one = choice[(2 * at) % choice.len()];
                let other = choice[(2 * at + 3) % choice.len()];
                choice = match number {
                    0 => vec![one, other],
                    _ if index % 3 == number % 3 => vec![if at % 2 == 0 { one } else { other }],
                    _ => Vec::new(),
                };
            }
            cases.extend(choice.into_iter().map(|fault| Faulty {
                prepared,
                was: was.clone(),
                call: call.clone(),
                fault,
            }));
        }
    }
    let counts: [AtomicUsize; 4] = Default::default();
    try_each(&cases, |_, case| {
        let directory = case.prepared.case();
        let status = judge(case, &directory).map_err(|why| {
            let Call { name, nth, text, .. } = &case.call;
            let scene = case.prepared.scene.name;
            format!("{scene}: {:?} at {name} {nth}:\n  {text}\n  {why}", case.fault)
        })?;
        let count = usize::try_from(status).expect("a small number");
        counts[count.saturating_sub(1)].fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let [applied, refused, put_back, stuck] = counts.map(AtomicUsize::into_inner);
    println!(
        "faults: {} injected: {applied} got over, {refused} refused, {put_back} put back, {stuck} told what is where; 0 lost",
        applied + refused + put_back + stuck
    );
}

/// The calls that have to do with the directory, and the starts of programs; and the directory.
fn calls(prepared: &Prepared) -> (PathBuf, Vec<Call>) {
    let case = prepared.case();
    let calls = tracer::calls(&postls(&case.config(), &["apply"]), &case.scratch("log"));
    let counts = |it: &Call| it.changes(case.path()) || it.reads(case.path());
    (case.path().to_owned(), calls.into_iter().filter(counts).collect())
}

/// Runs apply with the fault, and once more without. The exit status of the first.
fn judge(case: &Faulty<'_>, directory: &Case) -> Result<i32, String> {
    let log = directory.scratch("log");
    let apply = postls(&directory.config(), &["apply"]);
    let name = &case.call.name;
    let ran = tracer::inject(&apply, case.fault, &case.call, &case.was, directory.path(), &log);
    if !tracer::was_injected(&log) {
        return Err(format!("the call was not there: {ran:?}"));
    }
    let error = match case.fault {
        Fault::Once(error) | Fault::FromThenOn(error) => error,
        Fault::Kill => unreachable!("nothing is killed here"),
    };
    case.prepared.whole(directory).map_err(|why| format!("{why}\n  {ran:?}"))?;
    // What cannot be removed is left for the next run.
    let clean = matches!(case.fault, Fault::Once(_)) && !name.starts_with("unlink");
    let status = match ran.status {
        Some(0) => {
            case.prepared.is_new_but_for_temporary_files(directory)?;
            0
        }
        Some(status @ (2 | 3)) => {
            case.prepared
                .is_old_but_for_temporary_files(directory)
                .map_err(|why| format!("{why}\n  {ran:?}"))?;
            // Where nothing can be written any more, nothing can be said.
            let mute = name.contains("write") && matches!(case.fault, Fault::FromThenOn(_));
            if error != "EINTR" && !mute && !ran.err.contains(reason(error)) {
                // Postls has words of its own for this.
                let said = error == "EACCES" && ran.err.contains("may not be read")
                    // What the C library makes of it where a thread cannot be had.
                    || error == "ENOMEM" && ran.err.contains(reason("EAGAIN"));
                if !said {
                    return Err(format!("it does not say why: {ran:?}"));
                }
            }
            let etc = directory.config();
            let starts_program = ["clone", "clone3", "vfork", "fork"].contains(&name.as_str());
            let named = ran.err.contains(etc.to_str().expect("a plain name"))
                || ran.err.contains("tls_policy")
                || ran.err.contains(".cf");
            let named = named || starts_program && ran.err.contains("post");
            if !named && !mute {
                return Err(format!("it does not say which file: {ran:?}"));
            }
            status
        }
        Some(4) => {
            if ran.err.lines().filter(|it| it.starts_with("  ")).count() == 0 {
                return Err(format!("it does not say what is where: {ran:?}"));
            }
            4
        }
        _ => return Err(format!("an unexpected end: {ran:?}")),
    };
    if clean {
        nothing_is_left(&directory.config()).map_err(|why| format!("{why}\n  {ran:?}"))?;
    }
    recovers_by_apply(case.prepared, directory)
        .map_err(|why| format!("{why}\n  first: {ran:?}"))?;
    Ok(status)
}
