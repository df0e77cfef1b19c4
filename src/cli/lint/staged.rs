//! What `--staged` reads: the files that git has staged, whatever lies in the work tree.

use std::path::{Component, Path, PathBuf};

use super::inputs::{self, Input};
use super::{Lint, POLICY_FILE};
use crate::cli::load::Request;
use crate::cli::{Common, Stop, complain};
use crate::host::{Host, Staged};

/// The repository that this process was started in.
pub(super) fn open() -> Result<Staged, Stop> {
    Staged::open().map_err(|why| Stop(format!("--staged: {why}")))
}

/// What the arguments name; else each directory of the repository that has a configuration.
///
/// $MAIL_CONFIG and /etc/postfix are no part of a commit: they are not read in its place.
pub(super) fn inputs<'a>(
    lint: &'a Lint,
    host: &Staged,
    common: &'a Common,
) -> Result<Vec<Result<Input<'a>, Stop>>, Stop> {
    if common.config_dir.is_some() || !lint.paths.is_empty() {
        let inputs = inputs::of(lint, host, common)?;
        let within = |it: Input<'a>| is_within(host, &it.request.directory).map(|()| it);
        return Ok(inputs.into_iter().map(|it| it.and_then(within)).collect());
    }
    let directories = host.directories_with(&["main.cf", POLICY_FILE]);
    // No error: a hook runs for each commit, and most repositories hold other files too.
    if directories.is_empty() && !common.quiet {
        let top = host.top().display();
        complain(&format!(
            "{top}: git has staged no main.cf and no {POLICY_FILE}: nothing to lint"
        ));
    }
    let here = host.resolve(Path::new(".")).unwrap_or_default();
    let input = |directory: &PathBuf| {
        let shown_in = relative(directory, &here);
        Ok(Input {
            request: Request { shown_in, ..common.request(host, directory) },
            files: Vec::new(),
        })
    };
    Ok(directories.iter().map(input).collect())
}

fn is_within(host: &Staged, directory: &Path) -> Result<(), Stop> {
    if directory.starts_with(host.top()) {
        return Ok(());
    }
    let (directory, top) = (directory.display(), host.top().display());
    Err(Stop(format!("{directory}: not in the repository {top}, and --staged reads that alone")))
}

/// The way from a directory to another one, both without symbolic links.
fn relative(to: &Path, from: &Path) -> PathBuf {
    let same = to.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(same).map(|_| Component::ParentDir);
    up.chain(to.components().skip(same)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_from_the_current_directory() {
        let way = |to, from| relative(Path::new(to), Path::new(from)).display().to_string();
        assert_eq!(way("/a/b/c", "/a/b"), "c");
        assert_eq!(way("/a/b", "/a/b"), "");
        assert_eq!(way("/a/b/c", "/a/d/e"), "../../b/c");
        assert_eq!(way("/a", "/a/b"), "..");
    }
}
