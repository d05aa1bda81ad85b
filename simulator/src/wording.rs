//! Every text a device says that a client might look at, in one place.
//!
//! Texts come from vendor documentation, published transcripts and the fixtures of vendor tools unless a line says
//! that the vendor's wording is not known. Decides nothing.

use crate::release::Version;
use crate::spec::ContentVersion;

pub(crate) const INVALID_CREDENTIAL: &str = "Invalid Credential";
pub(crate) const RESTART_ACCEPTED: &str = "Command succeeded with no output";
pub(crate) const SUSPENDED: &str = "Successfully changed HA state to suspended";
pub(crate) const FUNCTIONAL: &str = "Successfully changed HA state to functional";
pub(crate) const TRANSPORT_NOT_CONNECTED: &str = "Transport endpoint is not connected";

// HA state reasons, as the vendor's knowledge base lists them.
pub(crate) const USER_REQUESTED: &str = "User requested";
pub(crate) const NON_FUNCTIONAL_LOOP: &str = "Non-functional loop";
pub(crate) const PEER_TOO_OLD: &str = "Peer version too old";
/// Of a Panorama (ansible-playbooks, HA upgrade of Panorama).
pub(crate) const PEER_NOT_COMPATIBLE: &str = "Peer version not compatible";

// Reasons of a non-functional member. The vendor's wording is not documented; these are ours.
pub(crate) const DATAPLANE_DOWN: &str = "Dataplane down: path monitor failure";
pub(crate) const DISK_FULL: &str = "Root partition is full";
pub(crate) const OUT_OF_MEMORY: &str = "Management plane out of memory";

/// A check without an update server (panos-upgrade-assurance).
pub(crate) const CHECK_FAILED: &str =
    "Failed to check upgrade info due to Unknown error. Please check network connectivity and try again.";

/// What a download says then; the vendor's text is not known, this one follows the check's.
pub(crate) const SERVER_UNREACHABLE: &str =
    "Failed to download due to Unknown error. Please check network connectivity and try again.";

/// What a download says without support; the vendor's text is not known, this one is ours.
pub(crate) const NOT_ENTITLED: &str = "Failed to download: no valid support license";

/// PAN-308461.
pub(crate) const DOWNLOAD_TIMED_OUT: &str = "Download terminated due to timeout";

/// A signature that does not verify because the clock is wrong (field report).
pub(crate) const CLOCK_WRONG: &str =
    "Decrypt failed: GnuPG edit non-zero, with code 171072 Failed to load into PAN software manager.";

// The vendor's texts for full partitions are not known; these are ours.
pub(crate) const ROOT_FULL: &str = "No space left on device: /";
pub(crate) const PANCFG_FULL: &str = "No space left on device: /opt/pancfg";

// The three steps of a download (vendor API guide, HA upgrade through Panorama).
pub(crate) const DOWNLOADED: &str = "Successfully downloaded";
pub(crate) const PRELOADING: &str = "Preloading into software manager";
pub(crate) const LOADED: &str = "Successfully loaded into software manager";

pub(crate) const COMMITTED: &str = "Configuration committed successfully";

// Refused commits and synchronisations, as pan-os-python tells them apart (`panos/base.py`).
pub(crate) const ANOTHER_COMMIT: &str = "Another commit/validate is in progress. Please try again later";
pub(crate) const COMMIT_RUNS: &str = "A commit is in progress.";
pub(crate) const COMMIT_DURING_INSTALL: &str =
    "You cannot commit while an install is in progress. Please try again later.";
pub(crate) const SYNC_FAILED: &str = "Failed to synchronize running configuration with HA peer";
pub(crate) const ANOTHER_SYNC: &str = "Another sync is in progress. Please try again later";
pub(crate) const NO_SUCH_NODE: &str = "No such node";

pub(crate) fn configuration_locked(holder: &str) -> String {
    format!("Configuration is locked by {holder}")
}

/// pan-python's `xapi.py` takes it for success without a job.
pub(crate) const NOTHING_TO_COMMIT: &str = "There are no changes to commit.";
pub(crate) const SYNC_QUEUED: &str =
    "HA synchronization job has been queued on peer. Please check job status on peer.";
pub(crate) const COMMAND_SUCCEEDED: &str = "command succeeded";

// Locks: the prefixes are those pan-os-python looks for, the first one is a published sample.
pub(crate) const CONFIG_LOCK_TAKEN: &str = "Successfully acquired lock. Other administrators will not be able to \
    modify configuration for scope shared until lock is released";
pub(crate) const COMMIT_LOCK_TAKEN: &str = "Successfully acquired lock. Other administrators will not be able to \
    commit configuration for scope shared until lock is released";
pub(crate) const CONFIG_LOCK_RELEASED: &str = "Config lock released for scope shared";
pub(crate) const COMMIT_LOCK_RELEASED: &str = "Commit lock released for scope shared";
pub(crate) const CONFIG_LOCK_OWNED: &str = "You already own a config lock for scope shared";
pub(crate) const CONFIG_LOCK_MISSING: &str = "Config is not currently locked for scope shared";
pub(crate) const COMMIT_LOCK_MISSING: &str = "Commit lock is not currently held";

pub(crate) fn config_lock_held(holder: &str) -> String {
    format!("Config for scope shared is currently locked by {holder}")
}

pub(crate) fn commit_lock_held(holder: &str) -> String {
    format!("Commit lock is already held by {holder}")
}

/// The role may not ask this (vendor's table of error codes, code 16).
pub(crate) const UNAUTHORIZED: &str = "Unauthorized request";
/// Vendor's table of error codes, code 6. The device's own text is not known.
pub(crate) const BAD_XPATH: &str = "Bad Xpath";
/// paloversion's author saw it when an import came too early or found no room.
pub(crate) const RESOURCE_UNAVAILABLE: &str = "Resource temporarily unavailable";

// The vendor's wording of these is not known; they are ours.
pub(crate) const SYNCHRONIZED: &str = "Configuration synchronized";
pub(crate) const LIST_REFRESHED: &str = "EDL refresh job done";

/// How a failed auto-commit reads (docstring of panos-upgrade-assurance's `firewall_proxy.py`).
pub(crate) const AUTO_COMMIT_FAILED: [&str; 4] = [
    "ID population failed",
    "Client logrcvr registered in the middle of a commit/validate. Aborting current commit/validate.",
    "Commit failed",
    "Failed to commit policy to device",
];

/// The vendor's text for a full image partition is not known; this one is ours.
pub(crate) fn no_space(version: Version) -> String {
    format!("Failed to download {version}: not enough space left on /opt/panrepo")
}

pub(crate) fn base_missing(base: Version) -> String {
    format!(
        "The required '{base}' base image must be loaded before this image can be loaded. You do not have to \
         install or run the base image, only download it. Once the base is loaded, re-download your target image."
    )
}

pub(crate) fn content_too_old(from: Version, to: Version, needed: u32, found: ContentVersion) -> String {
    format!(
        "Error: Upgrading from {from} to {to} requires a content version of {needed} or greater and found {found}."
    )
}

/// The one of the four lines below that tells a busy software manager; a download shows it alone.
pub(crate) const SOFTWARE_MANAGER_BUSY: &str =
    "The software manager is currently in use. Please try again later.";

/// The four lines of a PA-410's log of a failed install, the reason third.
pub(crate) fn install_failed(version: Version, why: &str) -> Vec<String> {
    vec![
        format!("Failed to install {version} with the following errors."),
        format!("SW version is {version}"),
        why.to_owned(),
        format!("Failed to install   version  {version}  type  panos"),
    ]
}

pub(crate) fn installed(version: Version) -> String {
    format!(
        "Software installation of version {version} successfully completed. Please reboot to switch to it."
    )
}

pub(crate) fn not_downloaded(version: Version) -> String {
    format!("Version {version} has not been downloaded")
}

pub(crate) fn not_a_keyword(version: &str) -> String {
    format!("version '{version}' is not an allowed keyword")
}

pub(crate) fn download_enqueued(job: u32) -> String {
    format!("Download job enqueued with jobid {job}")
}

pub(crate) fn install_enqueued(job: u32) -> String {
    format!(
        "Software install job enqueued with jobid {job}. Run 'show jobs id {job}' to monitor its status. Please \
         reboot the device after the installation is done."
    )
}

pub(crate) fn content_install_enqueued(job: u32) -> String {
    format!("Content install job enqueued with jobid {job}")
}

pub(crate) fn commit_enqueued(job: u32) -> String {
    format!("Commit job enqueued with jobid {job}")
}

pub(crate) fn exec_enqueued(job: u32) -> String {
    format!("Exec job enqueued with jobid {job}")
}

/// A log is being queried (vendor's API guide, traffic logs).
pub(crate) fn query_enqueued(job: u32) -> String {
    format!("query job enqueued with jobid {job}")
}

/// As an import answers (published samples of the vendor's API guide).
pub(crate) fn file_saved(name: &str) -> String {
    format!("{name} saved")
}

pub(crate) fn config_saved(name: &str) -> String {
    format!("Config saved to {name}")
}

pub(crate) fn config_loaded(name: &str) -> String {
    format!("Config loaded from {name}")
}

pub(crate) fn certificate_made(name: &str) -> String {
    format!("Successfully generated certificate and key pair : {name}")
}

// The vendor's wording of what follows is not known; it is ours.

pub(crate) const REVERTED: &str = "The configuration has been reverted to the running configuration.";
pub(crate) const TECH_SUPPORT_RUNS: &str = "A tech support file is being generated already";
pub(crate) const TECH_SUPPORT_NOT_READY: &str = "The tech support file is not ready";
pub(crate) const NO_FILE: &str = "Bad request: no file was uploaded";

pub(crate) fn certificate_renewed(name: &str) -> String {
    format!("Successfully renewed certificate : {name}")
}

pub(crate) fn no_such_file(name: &str) -> String {
    format!("{name} does not exist")
}

pub(crate) fn no_such_certificate(name: &str) -> String {
    format!("Certificate {name} does not exist")
}

pub(crate) fn no_such_job(id: &str) -> String {
    format!("job {id} not found")
}

pub(crate) fn not_an_image(name: &str) -> String {
    format!("{name} is not an image for this platform")
}

pub(crate) fn not_a_configuration(name: &str) -> String {
    format!("{name} is not a configuration")
}

pub(crate) fn image_deleted(version: Version) -> String {
    format!("Successfully removed {version}")
}

pub(crate) fn image_runs(version: Version) -> String {
    format!("Cannot delete {version}: it is the running version")
}

pub(crate) fn image_is_base(version: Version, dependent: Version) -> String {
    format!("Cannot delete {version}: it is the base of {dependent}")
}

pub(crate) fn content_not_downloaded(content: ContentVersion) -> String {
    format!("Content {content} has not been downloaded")
}

pub(crate) fn no_such_list(name: &str) -> String {
    format!("External dynamic list {name} does not exist")
}

pub(crate) fn list_refresh_enqueued(job: u32) -> String {
    format!("EDL refresh job enqueued with jobid {job}")
}

pub(crate) const NO_PREVIOUS_CONTENT: &str = "There is no previous content version";

pub(crate) fn log_not_supported(what: &str) -> String {
    format!("Bad request: type log, {what}")
}

pub(crate) fn unsupported(kind: &str, category: &str, action: &str) -> String {
    let named = [("type", kind), ("category", category), ("action", action)];
    let named: Vec<String> = named
        .into_iter()
        .filter(|(name, value)| *name == "type" || !value.is_empty())
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    format!("Bad request: {} is not supported", named.join(", "))
}
