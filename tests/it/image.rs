//! `--root`: an image is changed, and nothing outside of it, whatever its links and its main.cf say.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postls::host::{Host, Rooted};
use tempfile::TempDir;

use crate::judges;
use crate::repository::{Said, said};

const MAIN_CF: &str = "# the image's\nsmtp_tls_security_level = may\n";
const POLICY: &str = "version: 1\npostfix: \"3.7\"\ntable: {type: texthash}\n\
    destinations: {a.example: encrypt}\n";

/// A directory with an image in `image`, and what must stay as it is beside it.
struct Building {
    scratch: TempDir,
}

/// Bytes, mode, links, inode and the time of the last change of each file.
type Content = BTreeMap<PathBuf, (Vec<u8>, u32, u64, u64, i64, i64)>;

impl Building {
    fn new() -> Building {
        let building = Building { scratch: tempfile::tempdir().expect("a temporary directory") };
        building.write("image/etc/postfix/main.cf", MAIN_CF);
        building.write("image/etc/postfix/postls.yaml", POLICY);
        for name in ["main.cf", "main.cf.tmp", "tls_policy", "tls_policy.lmdb", "secret"] {
            building.write(&format!("outside/{name}"), "outside\n");
        }
        building
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().canonicalize().expect("it is there").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A link in the image, in place of what is there.
    fn link(&self, name: &str, target: impl AsRef<Path>) {
        let path = self.path("image").join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        let _ = fs::remove_file(&path);
        symlink(target, path).expect("it can be made");
    }

    fn outside(&self) -> Content {
        fs::read_dir(self.path("outside"))
            .expect("it is a directory")
            .map(|it| it.expect("it can be listed").path())
            .map(|path| {
                let it = path.symlink_metadata().expect("it is there");
                let bytes = fs::read(&path).expect("it can be read");
                let about = (bytes, it.mode(), it.nlink(), it.ino(), it.ctime(), it.ctime_nsec());
                (path, about)
            })
            .collect()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
        command.args(arguments).arg("--root").arg(self.path("image")).env_remove("MAIL_CONFIG");
        command
    }

    fn postls(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().expect("it was built"))
    }
}

#[test]
fn an_image_is_changed_as_a_directory_is() {
    let building = Building::new();
    let before = building.outside();
    let (status, text, complaint) = building.postls(&["diff"]);
    assert_eq!((status, complaint.as_str()), (Some(1), ""), "{text}");
    assert!(text.contains("a.example") && text.contains("+ tls_policy"), "{text}");
    assert_eq!(building.read("image/etc/postfix/main.cf"), MAIN_CF, "diff only looks");
    let (status, text, complaint) = building.postls(&["apply"]);
    assert_eq!((status, text.as_str(), complaint.as_str()), (Some(0), "applied\n", ""));
    let main_cf = building.read("image/etc/postfix/main.cf");
    assert!(main_cf.contains("smtp_tls_policy_maps = texthash:$config_directory/tls_policy"));
    assert!(building.read("image/etc/postfix/tls_policy").contains("a.example encrypt\n"));
    assert_eq!(building.postls(&["diff", "-q"]), (Some(0), String::new(), String::new()));
    // Also where Postfix is elsewhere in the image.
    building.write("image/opt/mail/etc/main.cf", MAIN_CF);
    building.write("image/opt/mail/etc/postls.yaml", POLICY);
    let (status, _, complaint) = building.postls(&["apply", "-c", "/opt/mail/etc"]);
    assert_eq!((status, complaint.as_str()), (Some(0), ""));
    assert!(building.read("image/opt/mail/etc/tls_policy").contains("a.example encrypt\n"));
    assert_eq!(building.outside(), before);
}

/// Links that lead into the image are followed there; those that would lead out lead nowhere.
#[test]
fn no_link_of_an_image_leads_out() {
    let climbing = |name: &str| PathBuf::from("../../../../../../../../outside").join(name);
    let names = ["main.cf", "tls_policy", "postls.yaml", "main.cf.tmp", "master.cf.tmp", ".postls"];
    for name in names {
        let building = Building::new();
        let outside = building.path("outside");
        let before = building.outside();
        for target in
            [outside.join("secret"), outside.join(name), climbing("secret"), climbing(name)]
        {
            building.link(&format!("etc/postfix/{name}"), &target);
            let (_, text, complaint) = building.postls(&["apply"]);
            assert_eq!(building.outside(), before, "{name} -> {}", target.display());
            let all = text + &complaint;
            assert!(!all.contains("outside\n"), "what is outside is not shown: {all}");
        }
    }
    // The whole directory, and a folder of it.
    for (name, target) in [("etc", "../outside"), ("etc/postfix", "../../../outside")] {
        let building = Building::new();
        fs::remove_dir_all(building.path("image/etc")).expect("it can be removed");
        let before = building.outside();
        building.link(name, target);
        let (status, _, complaint) = building.postls(&["apply"]);
        assert_eq!((status, building.outside() == before), (Some(2), true), "{complaint}");
    }
}

#[test]
fn links_in_an_image_are_the_images() {
    let building = Building::new();
    let before = building.outside();
    building.write("image/usr/share/mail/main.cf", MAIN_CF);
    // As it would be taken on the machine, there is such a file too.
    building.write("image/outside/tls_policy", "");
    building.link("etc/postfix/main.cf", "/usr/share/mail/main.cf");
    building.link("etc/postfix/tls_policy", "../../../outside/tls_policy");
    let (status, text, complaint) = building.postls(&["apply"]);
    assert_eq!((status, text.as_str(), complaint.as_str()), (Some(0), "applied\n", ""));
    assert!(building.read("image/usr/share/mail/main.cf").contains("tls_policy_maps"));
    assert!(building.read("image/outside/tls_policy").contains("a.example encrypt\n"));
    for name in ["main.cf", "tls_policy"] {
        let path = building.path("image/etc/postfix").join(name);
        assert!(path.symlink_metadata().expect("it is there").is_symlink(), "{name}");
    }
    assert_eq!(building.outside(), before);
}

/// Every call that writes, with each kind of link in its way.
#[test]
fn no_call_of_the_host_writes_outside() {
    let building = Building::new();
    let before = building.outside();
    let host = Rooted::new(&building.path("image")).expect("it is a directory");
    let up = "../../../../outside";
    building.link("etc/up", up);
    building.link("etc/absolute", building.path("outside"));
    building.link("etc/postfix/secret", format!("{up}/secret"));
    building.link("etc/postfix/full", building.path("outside/secret"));
    building.link("etc/postfix/new", building.path("outside/new"));
    let ours = Path::new("/etc/postfix/main.cf");
    let others = [
        "/etc/up/secret",
        "/etc/absolute/secret",
        "/etc/postfix/../up/secret",
        "/../outside/secret",
        "/etc/postfix/../../../../../outside/secret",
    ];
    for path in others.map(Path::new) {
        assert!(host.stage(path, b"x").is_err(), "stage {}", path.display());
        assert!(host.keep(path).is_err(), "keep {}", path.display());
        assert!(host.store(path, b"x").is_err(), "store {}", path.display());
        assert!(host.make_directory(path).is_err(), "make_directory {}", path.display());
        assert!(host.lock(path, Duration::ZERO).is_err(), "lock {}", path.display());
        assert!(host.copy_attributes(ours, path).is_err(), "copy_attributes {}", path.display());
        assert!(host.copy_attributes(path, ours).is_err(), "copy_attributes {}", path.display());
        assert!(host.rename(path, ours).is_err(), "rename {}", path.display());
        assert!(host.rename(ours, path).is_err(), "rename {}", path.display());
        assert!(host.remove(path).is_err(), "remove {}", path.display());
    }
    for link in ["secret", "full", "new"].map(|it| Path::new("/etc/postfix").join(it)) {
        // What is written beside a link, or in its place, is in the image.
        let staged = host.stage(&link, b"x").expect("it is beside the link");
        assert_eq!(staged.parent(), link.parent());
        let mode = host.attributes(&staged).expect("it is there").mode;
        assert_eq!(mode, 0o644, "{}: as of a new file", link.display());
        assert!(host.keep(&link).is_err(), "there is nothing to keep");
        assert!(host.make_directory(&link).is_err(), "there is something");
        host.rename(&staged, &link).expect("it takes the place of the link");
        assert_eq!(host.read(&link).expect("it is a file"), b"x");
        host.remove(&link).expect("it is there");
    }
    assert_eq!(building.outside(), before);
    assert_eq!(building.read("image/etc/postfix/main.cf"), MAIN_CF);
}

/// What runs on the machine is postmap, and it gets nothing of the image but the table. Nothing is
/// told to reload, and nobody is asked what runs.
#[test]
fn nothing_in_an_image_decides_what_runs_here() {
    let Some(judge) = judges::installed() else { return };
    let building = Building::new();
    // postmap would load a library from there, and want this user.
    let evil = building.path("image/etc/postfix/evil").display().to_string();
    let hostile = format!(
        "default_database_type = lmdb\nmeta_directory = {evil}\nshlib_directory = {evil}\n\
         mail_owner = nobody-has-this-name\nqueue_directory = /proc\n\
         import_environment = MAIL_CONFIG=/nowhere LD_PRELOAD=/nowhere.so\n"
    );
    building.write("image/etc/postfix/main.cf", &format!("{MAIN_CF}{hostile}"));
    let types = judge.table_types.iter().map(|it| format!("{it}\tevil.so\tdict_{it}_open\n"));
    let types = types.collect::<Vec<String>>().concat();
    building.write("image/etc/postfix/evil/dynamicmaps.cf", &types);
    building.write("image/etc/postfix/postls.yaml", &POLICY.replace("{type: texthash}", "{}"));
    building.link("etc/postfix/tls_policy.lmdb", building.path("outside/tls_policy.lmdb"));
    let before = building.outside();

    let programs = building.path("programs");
    fs::create_dir(&programs).expect("it can be made");
    for name in ["postfix", "postconf", "postls-nothing", "getent"] {
        let script = format!("#!/bin/sh\necho {name} >>{}\n", building.path("ran").display());
        fs::write(programs.join(name), script).expect("it can be written");
        fs::set_permissions(programs.join(name), fs::Permissions::from_mode(0o755))
            .expect("it is ours");
    }
    let path = format!("{}:/usr/bin:/bin", programs.display());
    let apply = |building: &Building, arguments: &[&str]| {
        let mut command = building.command(arguments);
        said(&command.env("PATH", &path).output().expect("it was built"))
    };
    let (status, text, complaint) = apply(&building, &["apply"]);
    assert_ne!(status, Some(0), "the index is not in the image: {text}");
    assert!(complaint.contains("tls_policy.lmdb"), "{complaint}");
    assert_eq!(building.outside(), before);

    fs::remove_file(building.path("image/etc/postfix/tls_policy.lmdb")).expect("it is a link");
    let (status, text, complaint) = apply(&building, &["apply"]);
    assert_eq!((status, text.as_str(), complaint.as_str()), (Some(0), "applied\n", ""));
    assert!(
        building.read("image/etc/postfix/main.cf").contains("lmdb:$config_directory/tls_policy")
    );
    assert_eq!(building.read("ran"), "", "no other program ran");
    let (status, text, complaint) = apply(&building, &["apply", "--reload", "always"]);
    assert_eq!((status, text.as_str()), (Some(2), ""), "{complaint}");
    assert!(complaint.contains("--root"), "{complaint}");
    // A second one finds nothing to do, so it has read the index.
    let (status, text, _) = apply(&building, &["apply", "--detailed-exitcode"]);
    assert_eq!(status, Some(0), "{text}");
    // Where the link stays in the image, it is followed there.
    building.link("etc/postfix/tls_policy.lmdb", "/var/tables/tls_policy.lmdb");
    building.write("image/var/tables/tls_policy.lmdb", "no index");
    let (status, text, complaint) = apply(&building, &["apply"]);
    assert_eq!((status, text.as_str(), complaint.as_str()), (Some(0), "applied\n", ""));
    let index = building.path("image/var/tables/tls_policy.lmdb");
    assert!(fs::metadata(index).expect("it is there").len() > 1000, "it is an index now");
    assert_eq!(building.read("ran"), "");
    assert_eq!(building.outside(), before);
}

/// What main.cf says is known; what Postfix was built with is not, and is not guessed.
#[test]
fn the_default_table_type_of_an_image_is_not_guessed() {
    let building = Building::new();
    building.write("image/etc/postfix/postls.yaml", &POLICY.replace("{type: texthash}", "{}"));
    let (status, _, complaint) = building.postls(&["diff"]);
    assert_eq!(status, Some(2), "{complaint}");
    assert!(complaint.contains("name a table type in the policy file"), "{complaint}");
    let main_cf = format!("{MAIN_CF}default_database_type = texthash\n");
    building.write("image/etc/postfix/main.cf", &main_cf);
    let (status, text, complaint) = building.postls(&["diff"]);
    assert_eq!(status, Some(1), "{complaint}");
    assert!(text.contains("+ smtp_tls_policy_maps = texthash:"), "{text}");
}

/// A policy file that is named is one of this machine, with what it includes.
#[test]
fn a_policy_file_on_the_command_line_is_the_machines() {
    let building = Building::new();
    let policy = "version: 1\npostfix: \"3.7\"\ntable: {type: texthash}\ninclude: [more/*.yaml]\n";
    building.write("build/postls.yaml", policy);
    building.write("build/more/b.yaml", "destinations: {b.example: encrypt}\n");
    // The same names in the image mean something else.
    let twin = building.path("build/more").strip_prefix("/").expect("it is absolute").to_owned();
    let twin = format!("image/{}/b.yaml", twin.display());
    building.write(&twin, "destinations: {evil.example: none}\n");
    let policy = building.path("build/postls.yaml");
    let policy = policy.to_str().expect("a plain name");
    let (status, _, complaint) = building.postls(&["apply", policy]);
    assert_eq!((status, complaint.as_str()), (Some(0), ""));
    let table = building.read("image/etc/postfix/tls_policy");
    assert!(table.contains("b.example encrypt\n") && !table.contains("evil"), "{table}");
    assert!(table.starts_with("# TLS policy table, generated by postls from postls.yaml.\n"));
    // From the directory of the build, by a relative name.
    let mut command = building.command(&["diff", "-q", "postls.yaml"]);
    let output = command.current_dir(building.path("build")).output().expect("it was built");
    assert_eq!(said(&output), (Some(0), String::new(), String::new()));
    // Without one it is the image's, which has another destination.
    assert_eq!(building.postls(&["diff", "-q"]).0, Some(1));
}

#[test]
fn what_is_no_image_is_said() {
    let building = Building::new();
    fs::remove_file(building.path("image/etc/postfix/postls.yaml")).expect("it is there");
    let (status, _, complaint) = building.postls(&["apply"]);
    assert_eq!(status, Some(2));
    let text = "postls: /etc/postfix/postls.yaml: there is no such file; name a policy file\n";
    assert_eq!(complaint, text);
    fs::remove_dir_all(building.path("image")).expect("it can be removed");
    let (status, _, complaint) = building.postls(&["apply"]);
    assert!(status == Some(2) && complaint.contains("--root "), "{complaint}");
    File::create(building.path("image")).expect("it can be made");
    let (status, _, complaint) = building.postls(&["apply"]);
    assert!(status == Some(2) && complaint.contains("--root "), "{complaint}");
}

/// In a real root, with that root's own postmap: what Postfix will find when the image starts.
#[test]
fn postfix_in_an_image_finds_what_was_applied() {
    let Some(here) = judges::installed() else { return };
    for judge in judges::all() {
        let Some(root) = &judge.root else { continue };
        let kinds = ["lmdb", "cdb", "hash", "texthash"];
        let both = |it: &&&str| here.table_types.contains(**it) && judge.table_types.contains(**it);
        for kind in kinds.iter().filter(both) {
            let building = Building::new();
            copy_postmap(root, &building.path("image"));
            let policy = POLICY.replace("texthash", kind);
            building.write("image/etc/postfix/postls.yaml", &policy);
            let (status, text, complaint) = building.postls(&["apply"]);
            assert_eq!(
                (status, text.as_str(), complaint.as_str()),
                (Some(0), "applied\n", ""),
                "{kind} for {}",
                judge.full_version
            );
            let table = format!("{kind}:/etc/postfix/tls_policy");
            let mut command = Command::new("chroot");
            command.arg(building.path("image")).args(["/usr/sbin/postmap", "-q", "a.example"]);
            let (status, text, complaint) = said(&command.arg(&table).output().expect("it starts"));
            let found = (status, text.as_str());
            assert_eq!(
                found,
                (Some(0), "encrypt\n"),
                "{table} {}: {complaint}",
                judge.full_version
            );
            println!("Postfix {}: {table} says encrypt", judge.full_version);
        }
    }
}

/// postmap of a root with the libraries that it loads.
fn copy_postmap(root: &Path, image: &Path) {
    // Packed inside, for its links lead elsewhere from outside.
    let script = r#"
        chroot "$0" sh -c '
            libraries=$(ldd /usr/sbin/postmap /usr/lib/postfix/postfix-*.so /usr/lib/postfix/*.so.* |
                grep -o "/[^ :)]*" | sort -u)
            tar -chf - --ignore-failed-read $libraries /lib/*/libnss_files* /etc/passwd /etc/group \
                /etc/nsswitch.conf /etc/postfix/dynamicmaps.cf* \
                /usr/share/postfix/dynamicmaps.cf* /usr/sbin/postmap 2>/dev/null' |
            tar -xf - -C "$1"
    "#;
    let output = Command::new("sh").args(["-c", script]).args([root, image]).output();
    let (status, _, complaint) = said(&output.expect("sh runs"));
    assert_eq!(status, Some(0), "{complaint}");
}
