//! Report (being written).
use crate::story::Story;
use hopgate_core::names::DeviceId;
/// x
pub fn html(_: &Story) -> String {
    String::new()
}
/// x
pub fn table(_: &Story) -> String {
    String::new()
}
/// x
pub fn timeline_text(_: &Story, _: &DeviceId) -> Option<String> {
    None
}
/// x
pub fn status_text(_: &Story) -> String {
    String::new()
}
