//! The calls themselves: for each operation its request, and the reader of its reply.
//! Knows the commands of PAN-OS; must not know when they are made, how often, or what follows from the answers.

use bytes::Bytes;
use hopgate_paths::Version;
use hopgate_playbooks::{Disk, Ha, HeldLock, Image, Job, LockKind, Optic, Partition, System};

use crate::client::Client;
use crate::error::{CallError, Failure};
use crate::operation::{JobId, Operation};
use crate::{disk, ha, jobs, optics, software, swm, system, xml};

/// What an error reply to a restart can say although the restart was accepted (pan-os-python treats it so too).
const NO_OUTPUT: &str = "Command succeeded with no output";

impl Client {
    /// Name, model, serial, version, content version and uptime.
    ///
    /// # Errors
    /// [`CallError`]; `Unreadable` when version or uptime cannot be read.
    pub async fn system_info(&self) -> Result<System, CallError> {
        self.op(
            Operation::SystemInfo,
            "<show><system><info/></system></show>",
            system::info,
        )
        .await
    }

    /// The software list as the device remembers it. Asks nobody else, and is cheap.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn software_info(&self) -> Result<Vec<Image>, CallError> {
        let cmd = "<request><system><software><info/></software></system></request>";
        self.op(Operation::SoftwareInfo, cmd, software::images).await
    }

    /// The software list, read anew from the update server: slow, and fails when the server cannot be reached.
    ///
    /// # Errors
    /// [`CallError`]; `Rejected` with the device's words when the update server cannot be reached.
    pub async fn software_check(&self) -> Result<Vec<Image>, CallError> {
        let cmd = "<request><system><software><check/></software></system></request>";
        self.op(Operation::SoftwareCheck, cmd, software::images).await
    }

    /// Starts the download of an image to this device only (no `sync-to-peer`). The list does not call an image
    /// downloaded before the job has ended well.
    ///
    /// # Errors
    /// [`CallError`]; of class `Indeterminate` when the job may have been started all the same.
    pub async fn download(&self, version: Version) -> Result<JobId, CallError> {
        let cmd = format!(
            "<request><system><software><download><version>{version}</version></download></software></system></request>"
        );
        self.op(Operation::Download(version), &cmd, jobs::enqueued).await
    }

    /// Starts the installation of a downloaded image into the partition that does not run.
    ///
    /// # Errors
    /// [`CallError`]; of class `Indeterminate` when the job may have been started all the same.
    pub async fn install(&self, version: Version) -> Result<JobId, CallError> {
        let cmd = format!(
            "<request><system><software><install><version>{version}</version></install></software></system></request>"
        );
        self.op(Operation::Install(version), &cmd, jobs::enqueued).await
    }

    /// One job by its number. Only good within one boot of the device.
    ///
    /// # Errors
    /// [`CallError`]; `Rejected` when the device does not know the number.
    pub async fn job(&self, id: JobId) -> Result<Job, CallError> {
        let cmd = format!("<show><jobs><id>{id}</id></jobs></show>");
        self.op(Operation::Job(id), &cmd, |result| jobs::one(result, id))
            .await
    }

    /// All jobs that the device still lists, in its order. It keeps about the last 29: an auto-commit can have
    /// scrolled off, then ask for job 1.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn jobs(&self) -> Result<Vec<Job>, CallError> {
        let cmd = "<show><jobs><all/></jobs></show>";
        self.op(Operation::Jobs, cmd, jobs::list).await
    }

    /// Restarts the device. It answers, and goes on answering for a minute or two.
    ///
    /// # Errors
    /// [`CallError`]; of class `Indeterminate` when the device may be restarting all the same.
    pub async fn restart(&self) -> Result<(), CallError> {
        let cmd = "<request><restart><system/></restart></request>";
        match self.op(Operation::Restart, cmd, |_| Ok(())).await {
            Err(CallError {
                failure: Failure::Rejected { code: _, text },
                ..
            }) if text.contains(NO_OUTPUT) => Ok(()),
            outcome => outcome,
        }
    }

    /// The high-availability state of this device and, where it knows one, of its peer.
    ///
    /// # Errors
    /// [`CallError`]; `Unreadable` shortly after a boot, when the reply is still empty.
    pub async fn ha_state(&self) -> Result<Ha, CallError> {
        let cmd = "<show><high-availability><state/></high-availability></show>";
        self.op(Operation::HaState, cmd, ha::state).await
    }

    /// Takes this device out of service in its pair. The device agrees even when its peer is down: look at the peer
    /// first. Done when [`Client::ha_state`] says so, not when this returns.
    ///
    /// # Errors
    /// [`CallError`]; of class `Indeterminate` when the device may be suspended all the same.
    pub async fn suspend(&self) -> Result<(), CallError> {
        let cmd = "<request><high-availability><state><suspend/></state></high-availability></request>";
        self.op(Operation::Suspend, cmd, |_| Ok(())).await
    }

    /// Puts this device back into service in its pair. Done when [`Client::ha_state`] says so.
    ///
    /// # Errors
    /// [`CallError`]; of class `Indeterminate` when the device may be functional all the same.
    pub async fn functional(&self) -> Result<(), CallError> {
        let cmd = "<request><high-availability><state><functional/></state></high-availability></request>";
        self.op(Operation::Functional, cmd, |_| Ok(())).await
    }

    /// Whether the dataplane is ready. `None` when the device does not know the command (PA-7000): then only the end of
    /// the auto-commit tells.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn chassis_ready(&self) -> Result<Option<bool>, CallError> {
        let cmd = "<show><chassis-ready/></show>";
        match self.op(Operation::ChassisReady, cmd, system::yes_or_no).await {
            Ok(ready) => Ok(Some(ready)),
            Err(error) if error.is_unknown_command() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The software manager's partitions: what runs, and what the next boot will run.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn software_manager(&self) -> Result<Vec<Partition>, CallError> {
        let cmd = "<debug><swm><status/></swm></debug>";
        self.op(Operation::SoftwareManager, cmd, swm::partitions).await
    }

    /// Size and free space of each mount.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn disk_space(&self) -> Result<Vec<Disk>, CallError> {
        let cmd = "<show><system><disk-space/></system></show>";
        self.op(Operation::DiskSpace, cmd, disk::disks).await
    }

    /// Whether the candidate configuration differs from the running one.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn pending_changes(&self) -> Result<bool, CallError> {
        let cmd = "<check><pending-changes/></check>";
        self.op(Operation::PendingChanges, cmd, system::yes_or_no).await
    }

    /// The configuration locks of all virtual systems.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn config_locks(&self) -> Result<Vec<HeldLock>, CallError> {
        let cmd = "<show><config-locks><vsys>all</vsys></config-locks></show>";
        self.op(Operation::ConfigLocks, cmd, |result| {
            system::locks(result, LockKind::Configuration)
        })
        .await
    }

    /// The commit locks of all virtual systems.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn commit_locks(&self) -> Result<Vec<HeldLock>, CallError> {
        let cmd = "<show><commit-locks><vsys>all</vsys></commit-locks></show>";
        self.op(Operation::CommitLocks, cmd, |result| {
            system::locks(result, LockKind::Commit)
        })
        .await
    }

    /// The ports and the modules in them. Empty where the device has no such ports (a virtual one), and on a device
    /// that does not give its port data: the model tells which.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn optics(&self) -> Result<Vec<Optic>, CallError> {
        let cmd = "<show><system><state><filter>sys.s*.p*.phy</filter></state></system></show>";
        self.op(Operation::Optics, cmd, optics::optics).await
    }

    /// The running configuration as the device exports it. **Holds private keys and password hashes**: it belongs in
    /// a sealed file, never in a log or a journal.
    ///
    /// # Errors
    /// [`CallError`]; `Garbled` when the document cannot be read to its end.
    pub async fn export_configuration(&self) -> Result<Bytes, CallError> {
        let call = self.prepare(Operation::ExportConfiguration).await?;
        let reply = call
            .send(&[("type", "export"), ("category", "configuration")])
            .await?;
        if reply.status == 200 {
            match whole_configuration(&reply.body) {
                Ok(()) => return Ok(reply.body),
                Err(flaw @ NoConfiguration::NotWhole { .. }) => {
                    return Err(call.failed(Failure::garbled(flaw.to_string())));
                }
                // An answer of another kind.
                Err(NoConfiguration::Other) => {}
            }
        }
        call.understand(&reply, |_| {
            Err(Failure::unreadable("a success reply instead of a configuration"))
        })
    }
}

/// Why a document is not a configuration as a device exports it. Not a word of the document is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoConfiguration {
    /// It does not begin as one.
    #[error("a document that is no configuration")]
    Other,
    /// It begins as one, and is damaged or more than one.
    #[error("a configuration that is not whole, seen at byte {at} of {of}")]
    NotWhole {
        /// The byte at which it stops being one.
        at: u64,
        /// How many there are.
        of: usize,
    },
}

/// Whether this is one whole configuration, as [`Client::export_configuration`] hands it over. It is the way back, so that it
/// is read to its end before anything is built on it: 0.1 s for 20 MB.
///
/// # Errors
/// [`NoConfiguration`].
pub fn whole_configuration(document: &[u8]) -> Result<(), NoConfiguration> {
    if !starts_as_configuration(document) {
        return Err(NoConfiguration::Other);
    }
    let of = document.len();
    xml::is_whole(document).map_err(|at| NoConfiguration::NotWhole { at, of })
}

/// Whether the first element is `<config`: an exported configuration has no reply around it, an error has.
fn starts_as_configuration(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let start = match start.strip_prefix(b"<?xml") {
        Some(declaration) => match declaration.windows(2).position(|end| end == b"?>") {
            Some(at) => declaration[at + 2..].trim_ascii_start(),
            None => return false,
        },
        None => start,
    };
    start.strip_prefix(b"<config").is_some_and(|rest| {
        rest.first()
            .is_some_and(|next| *next == b'>' || next.is_ascii_whitespace())
    })
}

#[cfg(test)]
mod tests;
