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
