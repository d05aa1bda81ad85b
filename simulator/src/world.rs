//! What all devices of a fleet share and nobody changes: seed, releases, faults, the administrator.

use crate::fault::FaultRule;
use crate::release::Catalogue;
use crate::seed::Seed;
use crate::spec::Credentials;

pub(crate) struct World {
    pub(crate) seed: Seed,
    pub(crate) catalogue: Catalogue,
    pub(crate) rules: Vec<FaultRule>,
    pub(crate) credentials: Credentials,
}
