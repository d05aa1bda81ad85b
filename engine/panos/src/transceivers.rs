//! Reads what modules measure, from the reply to `show transceiver all`.
//! Knows the reply as XML and as the listing of the command line; must not know how much light is enough.

use hopgate_paths::Version;
use hopgate_playbooks::{System, Transceiver, Transceivers};

use crate::error::Failure;
use crate::xml::{Node, Raw, printable};

/// The models that the vendor's page "Monitor Transceivers" lists, as their names begin.
const READ_MODULES: [&str; 9] = [
    "PA-415", "PA-445", "PA-8", "PA-14", "PA-32", "PA-34", "PA-52", "PA-54", "PA-70",
];

/// The modules of a device, or that it reads none: a firewall that is not on the vendor's list does not know the
/// command (code 17), and that is an answer. From one that is on the list a refusal says nothing.
pub(crate) fn transceivers(reply: Raw<'_>, device: Option<&System>) -> Result<Transceivers, Failure> {
    match reply.result() {
        Ok(result) => Ok(Transceivers {
            readable: true,
            modules: modules(&result)?,
        }),
        Err(Failure::Rejected { code: Some(17), .. })
            if device.is_some_and(|device| !reads_modules(&device.model, device.sw_version)) =>
        {
            Ok(Transceivers {
                readable: false,
                modules: Vec::new(),
            })
        }
        Err(failure) => Err(failure),
    }
}

/// The command came with 10.0.
fn reads_modules(model: &str, release: Version) -> bool {
    release.train().major >= 10 && READ_MODULES.iter().any(|begins| model.starts_with(begins))
}

fn modules(result: &Node) -> Result<Vec<Transceiver>, Failure> {
    let list = result.child("transceiver").unwrap_or(result);
    let entries = list
        .children_named("entry")
        .filter(|entry| entry.yes("present") != Some(false));
    let modules: Vec<Transceiver> = entries.map(module).collect::<Result<_, _>>()?;
    if list.children_named("entry").next().is_some() {
        return Ok(modules);
    }
    let lines = list.text().lines().map(str::trim);
    let listed: Vec<Transceiver> = lines
        .filter(|line| line.starts_with("ethernet"))
        .map(row)
        .collect::<Result<_, _>>()?;
    if listed.is_empty() && !(list.text().is_empty() && list.children.is_empty()) {
        return Err(Failure::unreadable("<result> lists no module"));
    }
    Ok(listed)
}

/// `<entry name="ethernet1/21"><temperature>44.78 C</temperature><tx-power>0.59 mW</tx-power>..`.
fn module(entry: &Node) -> Result<Transceiver, Failure> {
    let name = entry
        .attribute("name")
        .or_else(|| entry.value("name"))
        .or_else(|| entry.value("interface"))
        .ok_or_else(|| Failure::unreadable("a module without its port"))?;
    let measured = |names: [&str; 2], unit: &str| {
        let text = names.iter().find_map(|name| entry.value(name))?;
        thousandths(text, unit)
    };
    Ok(Transceiver {
        interface: printable(name, 80),
        temperature_millidegrees: measured(["temperature", "temp"], "C"),
        voltage_millivolts: measured(["voltage", "volt"], "V"),
        current_microamperes: measured(["current", "tx-bias"], "mA"),
        sent_microwatts: measured(["tx-power", "tx_power"], "mW"),
        received_microwatts: measured(["rx-power", "rx_power"], "mW"),
    })
}

/// `ethernet1/15  44.78 C  3.22 V  36.83 mA  0.59 mW  0.83 mW`; what is not measured is `n/a`, with or without a unit.
fn row(line: &str) -> Result<Transceiver, Failure> {
    const UNITS: [&str; 5] = ["C", "V", "mA", "mW", "mW"];
    let wrong = || Failure::unreadable(format!("the line {:?} of the modules", printable(line, 80)));
    let mut words = line.split_whitespace().peekable();
    let interface = words.next().ok_or_else(wrong)?;
    let mut measured = [None; 5];
    for (place, unit) in measured.iter_mut().zip(UNITS) {
        *place = thousandths(words.next().ok_or_else(wrong)?, unit);
        words.next_if_eq(&unit);
    }
    if words.next().is_some() {
        return Err(wrong());
    }
    let [temperature, voltage, current, sent, received] = measured;
    Ok(Transceiver {
        interface: printable(interface, 80),
        temperature_millidegrees: temperature,
        voltage_millivolts: voltage,
        current_microamperes: current,
        sent_microwatts: sent,
        received_microwatts: received,
    })
}

/// `0.59 mW` is 590; a number without its unit is taken to have it, one with another unit is not known.
fn thousandths(text: &str, unit: &str) -> Option<i64> {
    let text = text.trim();
    let number = text.strip_suffix(unit).unwrap_or(text).trim_end();
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, number),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(part) {
        return None;
    }
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    let thousands = whole.parse::<i64>().ok()?.checked_mul(1000)?;
    Some(sign * thousands.checked_add(part.parse().ok()?)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_measure_is_read_in_its_own_unit_only() {
        let read = [
            ("0.59 mW", "mW"),
            ("0.59", "mW"),
            ("-40.5C", "C"),
            ("3 V", "V"),
            ("0.00125 mW", "mW"),
            ("-17.2 dBm", "mW"),
            ("n/a", "mW"),
            ("0.5.9 mW", "mW"),
            ("", "C"),
            ("99999999999999999999 C", "C"),
        ]
        .map(|(text, unit)| thousandths(text, unit));
        let small = [Some(590), Some(590), Some(-40_500), Some(3000), Some(1)];
        assert_eq!(read[..5], small);
        assert_eq!(read[5..], [None; 5]);
    }

    #[test]
    fn only_who_is_on_the_vendors_list_owes_an_answer() {
        let owes = |model: &str, release: &str| reads_modules(model, release.parse().unwrap());
        assert!(owes("PA-850", "10.1.14-h9") && owes("PA-415", "11.1.0") && owes("PA-7080", "10.0.9"));
        assert!(!owes("PA-850", "9.1.16") && !owes("PA-440", "11.1.0") && !owes("PA-VM", "11.1.0"));
    }

    proptest! {
        #[test]
        fn thousandths_are_the_number_that_is_written(whole in 0..1_000_000_i64, part in 0..1000_i64) {
            let written = format!("{whole}.{part:03} V");
            prop_assert_eq!(thousandths(&written, "V"), Some(whole * 1000 + part));
        }
    }
}
