//! Reads load and memory: the `top` text of `show system resources`, the management plane's exports, the resource monitor.
//! Knows these grammars; must not know how much is too much.

use hopgate_playbooks::{CoreLoad, DataplaneCpu, ManagementCpu, Memory};

use crate::error::Failure;
use crate::state_dump::{NO_MATCHES, Value, entries, unreadable};
use crate::xml::{Node, printable, whole_number};

/// The memory lines of `top`, in the dialects of its versions:
/// `MiB Mem :   7900.0 total,   1000.0 free,   3900.0 used,   3000.0 buff/cache`, the same in `KiB`, and
/// `Mem:   4050216k total,  3900000k used,   150216k free,    2000k buffers` with the caches on the line of the swap space.
pub(crate) fn memory(result: &Node) -> Result<Memory, Failure> {
    // A line that cannot be read spoils the others: what is used is worked out from both.
    let lines = result.text().lines().filter_map(Amounts::of_line);
    let lines = lines.collect::<Result<Vec<Amounts>, Failure>>()?;
    let line = |of: &str| lines.iter().find(|line| line.of == of);
    let memory = line("Mem").ok_or_else(|| Failure::unreadable("no line of memory in the reply"))?;
    let swap = line("Swap");
    let missing = || Failure::unreadable("the line of memory");
    let (total, free, used) = memory.total_free_used().ok_or_else(missing)?;
    let cache = memory.amount("buff/cache").or_else(|| memory.amount("buffers"));
    // Used and free are parts of the total: where they do not add up, one of them is not what it says.
    let parts = match memory.amount("buff/cache") {
        Some(cache) => used + free + cache,
        None => used + free,
    };
    if total == 0 || parts.abs_diff(total) > total / 50 {
        return Err(Failure::unreadable(format!(
            "memory that does not add up: {total} KiB total, {used} used, {free} free"
        )));
    }
    // Old versions count buffers and caches as used.
    let caches = match memory.amount("buff/cache") {
        Some(_) => 0,
        None => cache.unwrap_or(0) + swap.and_then(|swap| swap.amount("cached")).unwrap_or(0),
    };
    let used = used.checked_sub(caches).ok_or_else(missing)?;
    let swap = swap.and_then(Amounts::total_free_used);
    Ok(Memory {
        total_mb: total / KIB,
        free_mb: free / KIB,
        used_mb: used / KIB,
        used_percent: used * 100 / total,
        swap_total_mb: swap.map(|(total, _, _)| total / KIB),
        swap_used_mb: swap.map(|(_, _, used)| used / KIB),
    })
}

/// KiB in a MiB.
const KIB: u64 = 1024;

/// One line of amounts, in KiB.
struct Amounts {
    of: &'static str,
    parts: Vec<(String, u64)>,
}

impl Amounts {
    /// The amounts of a line about memory or swap space; no other line has any.
    fn of_line(line: &str) -> Option<Result<Self, Failure>> {
        let (title, rest) = line.trim().split_once(':')?;
        let mut words = title.split_whitespace().rev();
        let of = match words.next()? {
            "Mem" => "Mem",
            "Swap" => "Swap",
            _ => return None,
        };
        let unit = words.next();
        // `7.9 total, .. 3.0 used. 2.1 avail Mem`: one full stop stands where a comma is meant.
        let rest = rest.replace("used. ", "used, ");
        let part = |part: &str| {
            let (amount, name) = part.trim().split_once(char::is_whitespace)?;
            Some((name.trim().to_owned(), kib(amount, unit)?))
        };
        let parts = rest.split(',').map(part).collect::<Option<_>>();
        let wrong = || Failure::unreadable(format!("the line {:?} of top", printable(line, 100)));
        Some(parts.map(|parts| Self { of, parts }).ok_or_else(wrong))
    }

    fn amount(&self, name: &str) -> Option<u64> {
        self.parts
            .iter()
            .find(|(of, _)| of == name)
            .map(|(_, amount)| *amount)
    }

    fn total_free_used(&self) -> Option<(u64, u64, u64)> {
        Some((self.amount("total")?, self.amount("free")?, self.amount("used")?))
    }
}

/// `7900.0` in the line's unit, or `4050216k` in its own.
fn kib(amount: &str, unit: Option<&str>) -> Option<u64> {
    let (number, factor) = match (unit, amount.strip_suffix('k')) {
        (None, Some(number)) | (Some("KiB"), Some(number)) => (number, 1),
        (Some("KiB"), None) => (amount, 1),
        (Some("MiB"), None) => (amount, KIB),
        (Some("GiB"), None) => (amount, KIB * KIB),
        _ => return None,
    };
    let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
    // Nine digits of the smallest unit are a terabyte; with more, the sums of a line would not fit a number.
    if whole.len() > 9 || tenths.len() != 1 {
        return None;
    }
    let tenths = whole_number(whole)? * 10 + whole_number(tenths)?;
    Some(tenths * factor / 10)
}

/// `sys.monitor.s0.mp.exports: { 'cpu': { '1minavg': 3, }, .. }`, one for each management plane.
pub(crate) fn management(result: &Node) -> Result<Vec<ManagementCpu>, Failure> {
    let mut planes = Vec::new();
    for (key, value) in entries(result)? {
        let fields = match value {
            Value::Block(fields) => fields,
            Value::Text(text) if text == NO_MATCHES => continue,
            Value::Text(_) => return Err(unreadable(&key, "its value is not a block")),
        };
        let slot = key
            .strip_prefix("sys.monitor.")
            .and_then(|key| key.strip_suffix(".mp.exports"))
            .ok_or_else(|| unreadable(&key, "it is not a management plane"))?;
        let average = match fields.get("cpu") {
            Some(Value::Block(cpu)) => cpu.get("1minavg"),
            Some(Value::Text(_)) | None => None,
        };
        let average = match average {
            Some(Value::Text(text)) => percent(text),
            Some(Value::Block(_)) | None => None,
        };
        planes.push(ManagementCpu {
            slot: printable(slot, 40),
            one_minute_percent: average
                .ok_or_else(|| unreadable(&key, "it has no average of the last minute"))?,
        });
    }
    if planes.is_empty() {
        return Err(Failure::unreadable("no management plane in the state dump"));
    }
    Ok(planes)
}

/// The minutes that the vendor's upgrade assurance looks at where nobody says otherwise, and those that a device remembers.
const USUAL_MINUTES: usize = 5;
const HOUR: usize = 60;

/// `<resource-monitor><data-processors><dp0><minute><cpu-load-average><entry><coreid>0</coreid><value>1,2,3,4,5</value>`.
pub(crate) fn dataplanes(result: &Node) -> Result<Vec<DataplaneCpu>, Failure> {
    let processors = result
        .at(&["resource-monitor", "data-processors"])
        .ok_or_else(|| Failure::unreadable("<result> has no <data-processors>"))?;
    processors.children.iter().map(dataplane).collect()
}

fn dataplane(node: &Node) -> Result<DataplaneCpu, Failure> {
    let name = printable(&node.name, 40);
    let list = node
        .at(&["minute", "cpu-load-average"])
        .ok_or_else(|| Failure::unreadable(format!("<{name}> has no <cpu-load-average>")))?;
    let mut cores = list
        .children_named("entry")
        .map(core)
        .collect::<Result<Vec<_>, _>>()?;
    // What every core tells of.
    let told = cores.iter().map(|core| core.minutes.len()).min().unwrap_or(0);
    let newest = |minutes: usize| -> Vec<u64> {
        let of_core = |core: &CoreLoad| core.minutes.iter().take(minutes).copied().collect::<Vec<_>>();
        cores.iter().flat_map(of_core).collect()
    };
    let averages: Vec<u64> = (1..=told.min(HOUR))
        .map(|minutes| average(&newest(minutes)))
        .collect();
    let usual = newest(USUAL_MINUTES);
    if usual.is_empty() {
        return Err(Failure::unreadable(format!("<{name}> lists no load")));
    }
    for core in &mut cores {
        core.minutes.truncate(USUAL_MINUTES);
    }
    Ok(DataplaneCpu {
        dataplane: name,
        average_percent: average(&usual),
        busiest_core_percent: cores.iter().map(|core| average(&core.minutes)).max().unwrap_or(0),
        averages,
        cores,
    })
}

fn core(entry: &Node) -> Result<CoreLoad, Failure> {
    let core = entry.required("coreid")?;
    let value = entry.required("value")?;
    let minutes: Option<Vec<u64>> = value.split(',').map(|text| percent(text.trim())).collect();
    let core = whole_number(core).and_then(|core| u32::try_from(core).ok());
    match (core, minutes) {
        (Some(core), Some(minutes)) => Ok(CoreLoad { core, minutes }),
        _ => Err(Failure::unreadable(format!(
            "the load {:?}",
            printable(value, 80)
        ))),
    }
}

/// A load cannot be above 100: a number that says so is not a load.
fn percent(text: &str) -> Option<u64> {
    whole_number(text).filter(|percent| *percent <= 100)
}

/// Rounded up, so that a load just above a limit is not shown as the limit.
fn average(samples: &[u64]) -> u64 {
    let count = u64::try_from(samples.len()).unwrap_or(u64::MAX).max(1);
    samples.iter().sum::<u64>().div_ceil(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::parse;

    fn read(top: &str) -> Result<Memory, Failure> {
        memory(&parse(format!("<result>{top}</result>").as_bytes()).unwrap())
    }

    /// Numbers that no firewall has are read or refused; they are never taken for smaller ones.
    #[test]
    fn the_largest_amounts_of_memory_do_not_overflow() {
        let of = |amount: &str| {
            read(&format!(
                "GiB Mem : {amount} total, 0.0 free, {amount} used, 0.0 buff/cache"
            ))
        };
        assert_eq!(of("999999999.9").unwrap().used_percent, 100);
        assert!(of("999999999999.9").is_err());
    }
}
