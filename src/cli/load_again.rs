//! A policy file may have a million destinations: what need not be done with them twice.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Stop;
use super::load::{Loaded, Loader, PolicyFile, Request, load};
use crate::host::Host;
use crate::lint::Context;
use crate::text::Sources;

/// What `request` names, which differs from the request that led to `before` in nothing but bytes
/// that stand for files.
pub(super) fn load_again(
    host: &dyn Host,
    request: &Request<'_>,
    before: &Loaded,
) -> Result<Loaded, Stop> {
    let Some(policy) = before.policy.as_ref().filter(|it| !is_given(it, &request.instead)) else {
        return load(host, request);
    };
    let mut loader = Loader { host, request, sources: Sources::default(), not_checked: Vec::new() };
    for id in &policy.sources {
        // Places in the policy file hold while its files come first, as they did.
        if loader.sources.add_from(&before.sources, *id) != *id {
            return load(host, request);
        }
    }
    loader.load(Some(Rc::clone(policy)))
}

/// Whether bytes are given for one of a policy file's files, or for one that a pin names.
fn is_given(policy: &PolicyFile, instead: &BTreeMap<String, Vec<u8>>) -> bool {
    policy.inputs.iter().any(|it| instead.contains_key(&it.name))
}

impl Loaded {
    /// main.cf and master.cf as they are and will be, without what rules look at in policies and
    /// tables: enough to ask for a client.
    pub(super) fn bare_context(&self) -> Context<'_> {
        let mut context = Context::new(&self.sources, self.main_cf, self.build.clone());
        if let Some(master_cf) = self.master_cf {
            context.add_services(master_cf);
        }
        if let Some(policy) = &self.policy {
            context.policies = Some(&policy.policies);
            context.plan_parameters(&policy.policies);
        }
        context
    }
}
