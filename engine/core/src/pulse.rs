//! How often we look and how long we let things take: every interval and deadline of the machines, with its reason.
//!
//! Deadlines that depend on the model (install, reboot) are not here: they come with the hop from the catalogue.

use jiff::SignedDuration;

/// Between two looks at a running job. Jobs last 5 to 45 minutes, so 10 s adds about 1 % to a hop; a device allows five
/// API calls at once and its configd has leaked under heavy polling (PAN-239917), so not faster.
pub const JOB_POLL: SignedDuration = SignedDuration::from_secs(10);

/// Between two looks at a device that restarts. Short enough to see a loop that answers for a minute between resets.
pub const BOOT_POLL: SignedDuration = SignedDuration::from_secs(10);

/// Before a request that was sent and not answered is looked into: longer than the longest request time-out (60 s), so
/// that a request still on its way has arrived or died when we look.
pub const SETTLE: SignedDuration = SignedDuration::from_secs(90);

/// Between two tries of a read or a step that failed for a passing reason. Also the cure of "The software manager is
/// currently in use", which clears within a minute.
pub const RETRY: SignedDuration = SignedDuration::from_secs(60);

/// How long the checks or the backup before a hop may fail to be read before the device is held.
pub const PREPARE_LIMIT: SignedDuration = SignedDuration::from_mins(10);

/// How long an image may take to arrive. The vendor's orchestrator allows 60 minutes for a whole device.
pub const FETCH_LIMIT: SignedDuration = SignedDuration::from_mins(60);

/// How long a failover may take to be proved after the suspend was accepted; the vendor's orchestrator waits 300 s.
pub const FAILOVER_LIMIT: SignedDuration = SignedDuration::from_secs(300);

/// Restart accepted, and the device still answers with its old uptime: after this it did not take the request. A
/// firewall answers for one to two minutes after it accepted; 300 s is what the most careful published tool allows.
pub const RESTART_TAKEN_WITHIN: SignedDuration = SignedDuration::from_secs(300);

/// How long HA may take to settle after the auto-commit: `ha_agent` may wait an hour in `initial` for session sync.
pub const HA_SETTLE_LIMIT: SignedDuration = SignedDuration::from_mins(65);

/// How long the checks after a hop may fail before the hop counts as failed: routing and tunnels come back late.
pub const AFTER_CHECK_LIMIT: SignedDuration = SignedDuration::from_mins(15);

/// After a gate held a device, before it may be granted another try.
pub const GATE_RETRY: SignedDuration = SignedDuration::from_mins(10);

/// How old an observed HA role may be when the first member of a pair is chosen by it.
pub const ROLE_FRESH: SignedDuration = SignedDuration::from_mins(5);

/// Tries of one changing request in one hop. Only an attempt that was *observed* to have had no effect, or whose job was
/// observed to have ended in FAIL, is followed by another.
pub const ATTEMPTS_MAX: u32 = 3;
