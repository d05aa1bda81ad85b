//! What all devices of a fleet share and nobody changes: seed, releases, faults, the administrator.

use crate::fault::FaultRule;
use crate::release::{Catalogue, Version};
use crate::seed::Seed;
use crate::spec::{Credentials, LoginBeforeAutocommit};

pub(crate) struct World {
    pub(crate) seed: Seed,
    pub(crate) catalogue: Catalogue,
    pub(crate) rules: Vec<FaultRule>,
    pub(crate) login: LoginBeforeAutocommit,
    pub(crate) credentials: Credentials,
}

impl World {
    /// PAN-204830: no login before the auto-commit has ended. The notes give the fixed releases, 10.1.8 and 10.2.4.
    pub(crate) fn login_waits_for_auto_commit(&self, version: Version) -> bool {
        match self.login {
            LoginBeforeAutocommit::Fixed => false,
            LoginBeforeAutocommit::Affected => true,
            LoginBeforeAutocommit::Vendor => match version.train().as_str() {
                "10.1" => version.maintenance() < 8,
                "10.2" => version.maintenance() < 4,
                _ => false,
            },
        }
    }
}
