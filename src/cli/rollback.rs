//! `postls rollback`

use clap::Args;

use super::apply::Reload;
use super::image::Image;
use super::interruption::{self, Then};
use super::load::resolved;
use super::{Common, OK, Outcome, Stop, complain, failed, planning};
use crate::apply::{self, KEEP, Options, Record};
use crate::report::plan;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are the flags of a command line")]
pub(super) struct Rollback {
    /// The generation whose state comes back, as `postls history` counts; 0 is what was before the
    /// first one; default: the one before the last
    #[arg(value_name = "GENERATION")]
    generation: Option<u64>,
    #[command(flatten)]
    image: Image,
    /// Only say what would change
    #[arg(long)]
    check: bool,
    /// Show the changes
    #[arg(long)]
    diff: bool,
    /// Lose what others have changed in these files since
    #[arg(long)]
    discard_changes: bool,
    /// Why, for `postls history`
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// When a running Postfix reads its files again
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    reload: Reload,
}

impl Rollback {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let place = self.image.place()?;
        let host = place.host();
        let directory = resolved(host, &common.directory());
        let then = if self.check { Then::Look } else { Then::Change };
        if let Err(failure) = interruption::put_right(host, &directory, then) {
            complain(&failure.to_string());
            return Ok(Outcome { output: Vec::new(), status: failed(&failure) });
        }
        let mut back = apply::back_to(host, &directory, self.generation).map_err(Stop)?;
        if !back.lost.is_empty() && !self.discard_changes {
            let names: Vec<&str> = back.lost.iter().map(|it| it.name.as_str()).collect();
            return Err(Stop(format!(
                "somebody else has changed {} since; see it with --discard-changes --check, and lose \
                 it with --discard-changes; nothing was changed",
                names.join(", ")
            )));
        }
        back.plan.note.reason.clone_from(&self.reason);
        let changes = !back.plan.changes.is_empty();
        let request = common.request(host, &directory);
        let errors = planning::errors_of_result(host, &request, &back.plan, common.style())?;
        if !errors.is_empty() {
            complain(&format!("generation {} has errors\n\n{errors}", back.number));
        }
        let mut text = String::new();
        if changes && (self.check || self.diff) {
            text = plan::human(&back.plan, common.style());
            text.push('\n');
        }
        let said = if !changes {
            format!("nothing to change: the files are those of generation {}", back.number)
        } else if self.check {
            "only checked: nothing was changed".to_owned()
        } else {
            let command = format!("rollback {}", back.number);
            let record = Record::Generation { command: &command, policy: None, keep: KEEP };
            let reload = match self.reload {
                _ if !place.can_run() => apply::Reload::Never,
                reload => reload.into(),
            };
            let options = Options { reload, record };
            match apply::apply(host, &directory, &back.plan, &options) {
                Ok(done) => {
                    done.notes.iter().for_each(|it| complain(it));
                    format!("back at generation {}{}", back.number, plan::told(&done.postfix))
                }
                Err(failure) => {
                    complain(&failure.to_string());
                    return Ok(Outcome { output: Vec::new(), status: failed(&failure) });
                }
            }
        };
        if !common.quiet {
            text.push_str(&said);
            text.push('\n');
        }
        Ok(Outcome { output: text.into_bytes(), status: OK })
    }
}
