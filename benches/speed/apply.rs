//! An apply on a million destinations: with nothing to do, and with one change.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::{Measured, POSTLS, Program, demand, in_turn, inputs, size, write};

/// A destination that one of two policy files asks more for than the other.
const CHANGED: &str = "changed.example";

pub(super) fn million(directory: &Path) -> io::Result<()> {
    const COUNT: u32 = 1_000_000;
    let policy = inputs::policy_file(COUNT);
    println!("\napply of a policy file with {COUNT} destinations, {:.1} MB", size(&policy));
    write(directory, "postls.yaml", &policy)?;
    let age = || {
        // Postfix's programs wait until main.cf is two seconds old.
        let main_cf = fs::File::options().write(true).open(directory.join("main.cf"))?;
        main_cf.set_modified(SystemTime::now() - Duration::from_secs(10))
    };
    age()?;
    let apply = Program::new(POSTLS, &["apply", "--allow-downgrade", "all", "-c"]).on(directory);
    // The first one changes main.cf too.
    if let Err(error) = apply.warm_up() {
        println!("  left out: {error}");
        return Ok(());
    }
    age()?;
    let same = Program::new(POSTLS, &["apply", "-c"]).on(directory).called("nothing to do");
    let compile = Program::new(POSTLS, &["compile", "-c"]).on(directory);
    // The peer builds the same table elsewhere, so that nothing is changed here.
    let beside = directory.join("beside");
    write(&beside, "tls_policy", &fs::read(directory.join("tls_policy"))?)?;
    let postmap = Program::postmap(&beside);
    let read_back = Program::postmap(&beside).with("-s").called("postmap -s");
    // A new index takes longer than to build one again in the room of the old one.
    let index = beside.join("tls_policy.lmdb");
    let programs = [same, compile, postmap, read_back];
    let [same, compile, postmap, read_back] = in_turn(5, &programs, || {
        let _ = fs::remove_file(&index);
    });
    let changed = one_change(directory, &policy, &apply)?;
    println!("  {:14} {:.4} s", "one change", changed.median());
    if let (Some(same), Some(postmap)) = (&same, &postmap) {
        demand("nothing to do : postmap", same.median() / postmap.median(), 0.333);
    }
    if let (Some(compile), Some(postmap), Some(read_back)) = (compile, postmap, read_back) {
        let parts = compile.median() + postmap.median();
        demand("one change : postls compile and postmap", changed.median() / parts, 1.0);
        // Which is not in that sum, and which no apply may leave out.
        let parts = parts + read_back.median();
        println!("  one change : these and postmap -s  {:.3}", changed.median() / parts);
    }
    Ok(())
}

/// Applies with one destination that asks for more, and for less, in turn.
fn one_change(directory: &Path, policy: &[u8], apply: &Program) -> io::Result<Measured> {
    let mut measured = Measured { seconds: Vec::new(), peak: None };
    for level in ["encrypt", "may"].into_iter().cycle().take(4) {
        let line = format!("  {CHANGED}: {level}\n");
        fs::write(directory.join("postls.yaml"), [policy, line.as_bytes()].concat())?;
        let begin = std::time::Instant::now();
        let output = apply.run()?;
        measured.seconds.push(begin.elapsed().as_secs_f64());
        if !output.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
    }
    Ok(measured)
}
