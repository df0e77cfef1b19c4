//! Apply is all or nothing: a host whose n-th call fails, for every n.
//!
//! With the installed Postfix alone: this process itself calls postmap, which it finds in its own PATH.
//! That apply works with every version is tried in `oracle`, by the program.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postls::apply::{self, Failure, KEEP, Options, Record, Reload, Told};
use postls::host::{Accounts, Attributes, Host, Lock, Ran, System};
use postls::plan::{Plan, Stale};

use crate::judges;
use crate::plan::{make, policies};

const MAIN_CF: &str = "# host\nsmtp_tls_security_level = may\n";
const POLICY: &str = "version: 1\nparameters: {smtp_tls_security_level: dane}\n\
    destinations: {a.example: encrypt, b.example: {level: secure, match: [x, .y]}}\n";

/// What the n-th call that could change something does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    /// It fails, and the next ones work.
    Once,
    /// It and all that follow fail: a full disk, a file system that turned read-only.
    FromThenOn,
    /// It does its work and then reports a failure, as a failed fsync does.
    Behind,
}

/// This machine, with one fault.
struct Faulty {
    fault: Fault,
    at: usize,
    calls: Cell<usize>,
    /// Whether an old table was in its place after main.cf was the new one.
    directory: PathBuf,
    out_of_order: Cell<bool>,
}

impl Faulty {
    fn new(fault: Fault, at: usize, directory: &Path) -> Faulty {
        let (calls, out_of_order) = (Cell::new(0), Cell::new(false));
        Faulty { fault, at, calls, directory: directory.to_owned(), out_of_order }
    }

    fn call<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let now = self.calls.get();
        self.calls.set(now + 1);
        let broken = || io::Error::other("injected");
        match self.fault {
            Fault::Once if now == self.at => Err(broken()),
            Fault::FromThenOn if now >= self.at => Err(broken()),
            Fault::Behind if now == self.at => {
                work()?;
                Err(broken())
            }
            Fault::Once | Fault::FromThenOn | Fault::Behind => work(),
        }
    }
}

impl Host for Faulty {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        System.read(path)
    }
    fn exists(&self, path: &Path) -> bool {
        System.exists(path)
    }
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        System.resolve(path)
    }
    fn is_directory(&self, path: &Path) -> bool {
        System.is_directory(path)
    }
    fn attributes(&self, path: &Path) -> io::Result<Attributes> {
        System.attributes(path)
    }
    fn account(&self, accounts: Accounts, name: &OsStr) -> io::Result<Option<Vec<u8>>> {
        System.account(accounts, name)
    }
    fn copy_attributes(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(|| System.copy_attributes(from, to))
    }
    fn matching(&self, pattern: &str) -> io::Result<Vec<PathBuf>> {
        System.matching(pattern)
    }
    fn stage(&self, target: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
        self.call(|| System.stage(target, bytes))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let result = self.call(|| {
            System.rename(from, to)?;
            // Or Postfix's programs would wait until it is two seconds old.
            if to.ends_with("main.cf") {
                age(to);
            }
            Ok(())
        });
        let main_cf = fs::read_to_string(self.directory.join("main.cf")).unwrap_or_default();
        if main_cf.contains("tls_policy_maps") && !self.directory.join("tls_policy").exists() {
            self.out_of_order.set(true);
        }
        result
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(|| System.remove(path))
    }
    fn program(&self, name: &str) -> io::Result<Vec<u8>> {
        System.program(name)
    }

    fn hostname(&self) -> Option<String> {
        System.hostname()
    }
    fn addresses(&self) -> Vec<(std::net::IpAddr, u8)> {
        System.addresses()
    }
    fn unix_time(&self) -> u64 {
        System.unix_time()
    }
    fn sleep(&self, time: Duration) {
        System.sleep(time);
    }
    fn read_from(&self, path: &Path, offset: u64) -> io::Result<Vec<u8>> {
        System.read_from(path, offset)
    }
    fn names(&self, path: &Path) -> io::Result<Vec<std::ffi::OsString>> {
        System.names(path)
    }
    fn flush(&self, path: &Path) -> io::Result<()> {
        self.call(|| System.flush(path))
    }
    fn keep(&self, file: &Path) -> io::Result<PathBuf> {
        self.call(|| System.keep(file))
    }
    fn store(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.call(|| System.store(path, bytes))
    }
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        self.call(|| System.make_directory(path))
    }
    fn lock(&self, path: &Path, patience: Duration) -> io::Result<Lock> {
        self.call(|| System.lock(path, patience))
    }

    fn directories(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        System.directories(path)
    }

    fn process_id(&self) -> u32 {
        System.process_id()
    }

    fn run(&self, program: &str, arguments: &[&OsStr], input: &[u8]) -> io::Result<Ran> {
        self.call(|| System.run(program, arguments, input))
    }
}

/// Name, bytes and mode of every file in a directory.
fn content(directory: &Path) -> BTreeMap<String, (Vec<u8>, u32)> {
    let entries = fs::read_dir(directory).expect("it is a directory");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    paths
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
            let mode = path.metadata().expect("it is there").mode();
            (name, (fs::read(&path).expect("it can be read"), mode))
        })
        .collect()
}

fn age(file: &Path) {
    let aged = std::time::SystemTime::now() - Duration::from_secs(10);
    let file = fs::File::options().write(true).open(file).expect("it is there");
    file.set_modified(aged).expect("it is ours");
}

fn directory(table: Option<&str>) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let main_cf = directory.path().join("main.cf");
    fs::write(&main_cf, MAIN_CF).expect("it can be written");
    age(&main_cf);
    if let Some(table) = table {
        fs::write(directory.path().join("tls_policy"), table).expect("it can be written");
    }
    directory
}

fn plan_for(directory: &Path, kind: &str) -> Plan {
    let main_cf = fs::read(directory.join("main.cf")).expect("it is there");
    let table = fs::read(directory.join("tls_policy")).ok();
    make(&main_cf, table.as_deref(), &policies(POLICY), kind)
}

pub(crate) fn options(reload: Reload) -> Options<'static> {
    Options { reload, record: Record::Generation { command: "apply", policy: None, keep: KEEP } }
}

/// Applies with a fault at each call in turn, until there are no more calls.
fn every_fault(kind: &str, table: Option<&str>) {
    every_fault_of(kind, &|| directory(table), &|path| plan_for(path, kind));
}

/// The same for another plan, in a directory that is made for each try.
pub(crate) fn every_fault_of(
    kind: &str,
    directory: &dyn Fn() -> tempfile::TempDir,
    plan_for: &dyn Fn(&Path) -> Plan,
) {
    let mut states = 0;
    for fault in [Fault::Once, Fault::FromThenOn, Fault::Behind] {
        for at in 0.. {
            let mut is_last = false;
            let directory = directory();
            let path = directory.path();
            let before = content(path);
            let plan = plan_for(path);
            let host = Faulty::new(fault, at, path);
            let result = apply::apply(&host, path, &plan, &options(Reload::Never));
            assert!(
                !host.out_of_order.get(),
                "{fault:?} {at}: main.cf lists a table that is not there"
            );
            let now = content(path);
            let ours =
                |content: &BTreeMap<String, (Vec<u8>, u32)>| -> BTreeMap<String, (Vec<u8>, u32)> {
                    content
                        .clone()
                        .into_iter()
                        .filter(|(name, _)| !name.contains(".postls-") && name != "main.cf.tmp")
                        .collect()
                };
            match result {
                Ok(done) => {
                    assert!(done.changed, "there is something to do");
                    assert_ne!(ours(&now), before, "{kind} {fault:?} {at}");
                    assert!(
                        plan_for(path)
                            .changes
                            .iter()
                            .all(|it| matches!(it, postls::plan::Change::Index { .. }))
                    );
                    is_last = host.calls.get() <= at;
                    if is_last {
                        assert!(done.notes.is_empty(), "{:?}", done.notes);
                    }
                }
                Err(Failure::Refused(_) | Failure::PutBack(_)) => {
                    assert_eq!(ours(&now), before, "{kind} {fault:?} {at}: not as it was");
                }
                Err(Failure::Stale(why)) => panic!("{kind} {fault:?} {at}: {why}"),
                Err(Failure::Stuck { left, .. }) => {
                    assert_ne!(fault, Fault::Once, "{kind} {at}: a single fault can be undone");
                    assert!(!left.is_empty());
                    assert_ne!(ours(&now), before, "{kind} {at}: nothing has to be put back");
                    // What it says is true: the old content is where it says.
                    for line in left.iter().filter(|it| it.contains("old content is in ")) {
                        let path =
                            line.rsplit("old content is in ").next().expect("it names a file");
                        assert!(Path::new(path).exists(), "{line}");
                    }
                }
            }
            // Without faults the next one puts right what this one has left, and reaches its goal.
            let host = Faulty::new(fault, usize::MAX, path);
            apply::recover(&host, path).expect("nothing is in the way any more");
            let now = content(path);
            let is_ours = |name: &&String| !name.contains(".postls-");
            assert!(now.keys().all(|it| is_ours(&it)), "{kind} {fault:?} {at}: {:?}", now.keys());
            if ours(&now) == before {
                let plan = plan_for(path);
                let done = apply::apply(&host, path, &plan, &options(Reload::Never));
                let done = done.expect("nothing is in the way");
                assert!(done.notes.is_empty(), "{:?}", done.notes);
            }
            let left = plan_for(path).changes;
            let is_index =
                |it: &postls::plan::Change| matches!(it, postls::plan::Change::Index { .. });
            assert!(left.iter().all(is_index), "{kind} {fault:?} {at}: {left:?}");
            assert!(!path.join(".postls/journal.json").exists(), "{kind} {fault:?} {at}");
            states += 1;
            if is_last {
                break;
            }
        }
    }
    println!("{kind}: a fault at each call: {states} runs, each old or new, 0 lost");
}

#[test]
fn a_fault_at_any_step_leaves_the_old_state_or_the_new_one() {
    every_fault("texthash", None);
    every_fault("texthash", Some("# old\na.example may\n"));
}

#[test]
fn a_fault_at_any_step_of_an_indexed_table_too() {
    let Some(postfix) = judges::installed() else { return };
    for kind in ["lmdb", "cdb", "hash"] {
        if postfix.table_types.contains(kind) {
            every_fault(kind, Some("# old\na.example may\n"));
        }
    }
}

#[test]
fn a_stale_plan_is_refused() {
    for name in ["main.cf", "tls_policy"] {
        let directory = directory(None);
        let plan = plan_for(directory.path(), "texthash");
        fs::write(directory.path().join(name), "# somebody else\n").expect("it can be written");
        let before = content(directory.path());
        let result = apply::apply(&System, directory.path(), &plan, &options(Reload::Never));
        assert!(matches!(result, Err(Failure::Stale(why)) if why.contains(name)));
        assert_eq!(content(directory.path()), before);
    }
}

#[test]
fn mode_owner_and_symbolic_links_stay() {
    let directory = directory(Some("a.example may\n"));
    let path = directory.path();
    fs::create_dir(path.join("real")).expect("it can be made");
    fs::rename(path.join("main.cf"), path.join("real/main.cf")).expect("it can be moved");
    symlink("real/main.cf", path.join("main.cf")).expect("it can be linked");
    fs::set_permissions(path.join("tls_policy"), fs::Permissions::from_mode(0o640))
        .expect("it is ours");
    let root = rustix::process::geteuid().is_root();
    if root {
        std::os::unix::fs::chown(path.join("tls_policy"), Some(12), Some(34)).expect("root may");
    }
    let plan = plan_for(path, "texthash");
    let done =
        apply::apply(&System, path, &plan, &options(Reload::Never)).expect("nothing is in the way");
    assert!(done.changed);
    assert!(path.join("main.cf").is_symlink(), "the link is still one");
    let real = fs::read_to_string(path.join("real/main.cf")).expect("it is there");
    assert!(real.contains("dane"), "the file that it names changed");
    let table = path.join("tls_policy").metadata().expect("it is there");
    assert_eq!(table.mode() & 0o7777, 0o640);
    if root {
        assert_eq!((table.uid(), table.gid()), (12, 34));
    }
}

#[test]
fn a_second_run_changes_nothing() {
    let directory = directory(None);
    let plan = plan_for(directory.path(), "texthash");
    apply::apply(&System, directory.path(), &plan, &options(Reload::Never))
        .expect("nothing is in the way");
    let before = content(directory.path());
    let again = plan_for(directory.path(), "texthash");
    assert!(again.changes.is_empty());
    let done = apply::apply(&System, directory.path(), &again, &options(Reload::Always))
        .expect("nothing is in the way");
    assert!(!done.changed && done.postfix == Told::NotNeeded);
    assert_eq!(content(directory.path()), before);
}

#[test]
fn an_index_stands_beside_the_name_in_main_cf_and_keeps_its_mode() {
    let Some(postfix) = judges::installed() else { return };
    if !postfix.table_types.contains("lmdb") {
        return;
    }
    let directory = directory(None);
    let path = directory.path();
    fs::create_dir(path.join("shared")).expect("it can be made");
    fs::write(path.join("shared/tls_policy"), "a.example may\n").expect("it can be written");
    symlink("shared/tls_policy", path.join("tls_policy")).expect("it can be linked");
    fs::write(path.join("tls_policy.lmdb"), "not an index").expect("it can be written");
    fs::set_permissions(path.join("tls_policy.lmdb"), fs::Permissions::from_mode(0o640))
        .expect("it is ours");
    apply::apply(&System, path, &plan_for(path, "lmdb"), &options(Reload::Never))
        .expect("nothing is in the way");
    let index = path.join("tls_policy.lmdb").metadata().expect("it is there");
    assert_eq!(index.mode() & 0o7777, 0o640);
    assert!(path.join("tls_policy").is_symlink() && !path.join("shared/tls_policy.lmdb").exists());
    let text = fs::read(path.join("tls_policy")).expect("it is there");
    let state = apply::index::state(&System, path, "lmdb", &path.join("tls_policy"), &text);
    assert_eq!(state, Ok(None), "the index is the one that Postfix opens");
}

#[test]
fn an_index_holds_the_rows_of_its_table_and_no_other() {
    let Some(postfix) = judges::installed() else { return };
    let directory = directory(None);
    let path = directory.path();
    let table = path.join("tls_policy");
    let rows = "B.example may\nc.example secure match=x:y\n";
    let same = "# one\nb.example may\nc.example\n secure match=x:y\nC.example none\n";
    for kind in ["lmdb", "hash", "btree", "cdb"] {
        if !postfix.table_types.contains(kind) {
            continue;
        }
        for (indexed, wanted) in [
            (rows.to_owned(), None),
            (same.to_owned(), None),
            (format!("a.example may\n{rows}"), Some(Stale::Differs)),
            (format!("{rows}z.example may\n"), Some(Stale::Differs)),
            (format!("{rows}\"x\ty\" may\n"), Some(Stale::Differs)),
            (rows.replace("may", "none"), Some(Stale::Differs)),
            (rows.replace("c.", "d."), Some(Stale::Differs)),
            ("b.example may\n".to_owned(), Some(Stale::Differs)),
            (String::new(), Some(Stale::Differs)),
        ] {
            fs::write(&table, &indexed).expect("it can be written");
            let of = format!("{kind}:{}", table.display());
            let ran = Command::new("postmap").arg("-c").arg(path).arg(&of).output();
            assert!(ran.expect("it is installed").status.success(), "{of}");
            let state = apply::index::state(&System, path, kind, &table, rows.as_bytes());
            assert_eq!(state, Ok(wanted), "{kind} of {indexed:?}");
            let state = apply::index::state(&System, path, kind, &table, indexed.as_bytes());
            assert_eq!(state, Ok(None), "{kind} of {indexed:?}");
        }
        for damaged in [&b""[..], b"\0", &[0xff; 4096]] {
            fs::write(path.join(format!("tls_policy.{}", suffix(kind))), damaged).expect("ours");
            let state = apply::index::state(&System, path, kind, &table, rows.as_bytes());
            assert_eq!(state, Ok(Some(Stale::Differs)), "{kind}");
        }
    }
}

/// What postmap appends to a table's name.
fn suffix(kind: &str) -> &str {
    if matches!(kind, "hash" | "btree") { "db" } else { kind }
}
