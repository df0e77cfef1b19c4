//! File systems that really are full: no room, or no room for another name, or none that can be written to.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::scene::{self, Case, Prepared, Scene};
use super::tree::nothing_is_left;
use super::{all, bounded, try_each};
use crate::judges;

/// Mounts a file system ($1: how) at $2, with a copy of $3, leaves so much room ($4), and applies with $5; then $6 gets what
/// is there, the room is given back, and it is applied once more, and $7 gets what is there then.
const SCRIPT: &str = r#"
how=$1 at=$2 template=$3 room=$4 postls=$5 seen=$6 final=$7
old() { touch -c -d "10 seconds ago" "$at"/etc/main.cf "$at"/etc/master.cf "$at"/elsewhere/main.cf; }
set -e
case $how in
    tmpfs) mount -t tmpfs -o size=1m,mode=755 none "$at" ;;
    inodes) mount -t tmpfs -o "size=8m,mode=755,nr_inodes=$room" none "$at" ;;
    ext4)
        truncate -s 3m "$seen.image"
        mkfs.ext4 -q -F -b 1024 -m 0 -O ^has_journal "$seen.image"
        mount -o loop "$seen.image" "$at"
        rm -rf "$at/lost+found" ;;
esac
cp -a "$template/." "$at"
case $how in
    inodes) ;;
    *)
        dd if=/dev/zero of="$at/scratch.filler" bs=1k status=none 2>/dev/null || true
        truncate -s "-${room}k" "$at/scratch.filler" ;;
esac
sync -f "$at"
set +e
"$postls" -c "$at/etc" apply >"$seen.out" 2>"$seen.err"
echo $? >"$seen.status"
cp -a "$at" "$seen"
rm -f "$at/scratch.filler" "$seen/scratch.filler"
[ "$how" != inodes ] || mount -o remount,nr_inodes=10000 "$at"
old
"$postls" -c "$at/etc" apply >"$final.out" 2>"$final.err"
echo $? >"$final.status"
cp -a "$at" "$final"
"#;

/// One file system with so much room left.
struct Full<'p> {
    prepared: &'p Prepared,
    how: &'static str,
    room: usize,
}

#[test]
fn a_full_file_system_changes_nothing() {
    let Some(postfix) = judges::installed() else { return };
    let prepared: Vec<Prepared> = scene::of(postfix).map(Scene::prepare).collect();
    if !usable(&prepared[0]) {
        return;
    }
    let mut cases = Vec::new();
    for (number, prepared) in prepared.iter().enumerate() {
        // In steps of a block, from nothing to more than is needed; names, from those that are there already.
        let names = 3 + Command::new("find")
            .arg(prepared.template())
            .output()
            .map_or(0, |it| String::from_utf8_lossy(&it.stdout).lines().count());
        let rooms: [(&str, Vec<usize>); 3] = [
            ("tmpfs", (0..26).map(|it| 4 * it).collect()),
            ("inodes", (0..24).map(|it| names - 3 + it).collect()),
            ("ext4", (0..32).map(|it| 2 * it + 1).collect()),
        ];
        for (how, rooms) in rooms {
            for room in rooms {
                if all() || number == 0 || room % 8 == number {
                    cases.push(Full { prepared, how, room });
                }
            }
        }
    }
    let counts: [AtomicUsize; 3] = Default::default();
    try_each(&cases, |_, case| {
        let status = judge(case).map_err(|why| {
            format!("{}: {} with {} left: {why}", case.prepared.scene.name, case.how, case.room)
        })?;
        counts[status].fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let [done, refused, put_back] = counts.map(AtomicUsize::into_inner);
    assert!(done > 0 && refused > 0, "the rooms are well chosen: {done} {refused} {put_back}");
    println!(
        "full file systems: {} applies: {done} had room, {refused} refused, {put_back} put back; 0 lost",
        done + refused + put_back
    );
}

/// Whether file systems can be mounted here.
fn usable(prepared: &Prepared) -> bool {
    let ran = mounted(prepared, "ext4", 2000, |_, _| ());
    let status = fs::read_to_string(ran.0.path().join("seen.status"));
    let usable = status.as_ref().is_ok_and(|it| it.trim() == "0");
    if !usable {
        assert_eq!(
            judges::required(),
            "",
            "POSTLS_REQUIRE_POSTFIX is set, and nothing can be mounted"
        );
        println!("skipped: no file system can be mounted: {}", ran.1.err.trim());
    }
    usable
}

/// Runs the script, and looks at what it copied.
fn mounted<T>(
    prepared: &Prepared,
    how: &str,
    room: usize,
    look: impl FnOnce(&Path, &bounded::Ran) -> T,
) -> (tempfile::TempDir, bounded::Ran, T) {
    let scratch = tempfile::Builder::new().prefix("postls-full-").tempdir();
    let scratch = scratch.expect("a temporary directory");
    let at = scratch.path().join("mounted");
    fs::create_dir(&at).expect("it is writable");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "--", "sh", "-c", SCRIPT, "full", how]);
    command.arg(at).arg(prepared.template()).arg(room.to_string());
    command.arg(env!("CARGO_BIN_EXE_postls"));
    command.arg(scratch.path().join("seen")).arg(scratch.path().join("final"));
    let path = std::env::var("PATH").unwrap_or_default();
    let ran = bounded::run(command.env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin:/sbin")));
    let looked = look(scratch.path(), &ran);
    (scratch, ran, looked)
}

fn judge(case: &Full<'_>) -> Result<usize, String> {
    let (_scratch, _, judged) = mounted(case.prepared, case.how, case.room, |scratch, ran| {
        let read = |name: &str| fs::read_to_string(scratch.join(name)).unwrap_or_default();
        let (status, said) = (read("seen.status"), read("seen.err"));
        let seen = Case::at(scratch.join("seen"));
        let named = |why: String| format!("{why}\n  status {status}  {said}  {ran:?}");
        let count = match status.trim() {
            "0" => {
                case.prepared.is_new(&seen).map_err(named)?;
                0
            }
            refused @ ("2" | "3") => {
                case.prepared.whole(&seen).map_err(named)?;
                case.prepared.is_old(&seen).map_err(named)?;
                nothing_is_left(&seen.config()).map_err(named)?;
                // postmap's, which does not always notice that an index has no rows.
                if !said.contains("No space left on device") && !said.contains("full disk") {
                    return Err(named("it does not say why".to_owned()));
                }
                if !said.contains("/mounted/") {
                    return Err(named("it does not say where".to_owned()));
                }
                if refused == "2" { 1 } else { 2 }
            }
            _ => return Err(named("an unexpected end".to_owned())),
        };
        let last = Case::at(scratch.join("final"));
        let again = format!("{}{}", read("final.status"), read("final.err"));
        if again.trim() != "0" {
            return Err(named(format!("with room: {again}")));
        }
        case.prepared.is_new(&last).map_err(|why| named(format!("with room: {why}")))?;
        Ok(count)
    });
    judged
}
