//! External dynamic lists as the device has them: how one is asked for, and what is on it.
//! Knows the commands and their replies; must not know where the lists come from or which of them matter.

use hopgate_playbooks::{ExternalList, ListCapacity, ListContent};

use crate::error::{CallError, Failure};
use crate::xml::{Node, printable, whole_number};

/// The kinds that `request system external-list show type` knows (command hierarchy of PAN-OS 11.2 and 12.1).
const KINDS: [&str; 7] = [
    "ip",
    "domain",
    "url",
    "predefined-ip",
    "predefined-url",
    "imsi",
    "imei",
];

/// Far more than a firewall takes (30 of one's own). A configuration is somebody else's writing.
const MOST_LISTS: usize = 200;

/// The question for what is on one list.
#[derive(Clone)]
pub(crate) struct ListQuestion {
    pub(crate) list: ExternalList,
    /// As it is sent.
    pub(crate) command: String,
    /// The virtual system it is asked in. Lists are found in the one that a command speaks of.
    pub(crate) vsys: Option<String>,
}

impl ListQuestion {
    /// The questions for these lists, without those that cannot be asked about.
    pub(crate) fn of(lists: Vec<ExternalList>) -> Vec<Self> {
        lists
            .into_iter()
            .take(MOST_LISTS)
            .filter_map(Self::about)
            .collect()
    }

    /// One record is shown, and how many there are: a list can have a hundred thousand.
    fn about(list: ExternalList) -> Option<Self> {
        let kind = known_kind(&list)?;
        let name = quick_xml::escape::escape(list.name.as_str());
        let command = format!(
            "<request><system><external-list><show><type><{kind}><name>{name}</name><num-records>1</num-records></{kind}></type></show></external-list></system></request>"
        );
        let vsys = list.place.starts_with("vsys").then(|| list.place.clone());
        Some(Self { list, command, vsys })
    }

    /// As it is typed on the command line.
    pub(crate) fn typed(&self) -> String {
        let kind = self.list.kind.as_deref().unwrap_or_default();
        let name = &self.list.name;
        format!("request system external-list show type {kind} name {name} num-records 1")
    }
}

fn known_kind(list: &ExternalList) -> Option<&'static str> {
    let kind = list.kind.as_deref()?;
    KINDS.into_iter().find(|known| *known == kind)
}

/// What is on a list, or why that is not known. `None` for one that was not asked about.
pub(crate) fn content(list: ExternalList, told: Option<Result<Counts, CallError>>) -> ListContent {
    let (counts, unreadable) = match told {
        Some(Ok(counts)) => (counts, None),
        Some(Err(error)) => (Counts::default(), Some(error.to_string())),
        None if known_kind(&list).is_none() => {
            let why = "it is of a kind that cannot be asked about";
            (Counts::default(), Some(why.to_owned()))
        }
        None => {
            let why = format!("only {MOST_LISTS} lists are asked about");
            (Counts::default(), Some(why))
        }
    };
    ListContent {
        place: list.place,
        name: list.name,
        kind: list.kind,
        records: counts.records,
        invalid: counts.invalid,
        ignored: counts.ignored,
        unreadable,
    }
}

/// How many entries a list has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    records: Option<u64>,
    invalid: Option<u64>,
    ignored: Option<u64>,
}

/// `<external-list><total-valid>2776</total-valid><total-ignored>0</total-ignored>..`, or the text of the command line:
/// `Total valid entries: 3`, before 9.0 `Number of entries : 3`.
pub(crate) fn counts(result: &Node) -> Result<Counts, Failure> {
    let list = result.child("external-list").unwrap_or(result);
    let lines = || list.text().lines();
    let said = |words: &str| {
        let values = lines().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case(words).then(|| value.trim())
        });
        values.filter_map(whole_number).next()
    };
    let records = list
        .number("total-valid")
        .or_else(|| said("total valid entries"))
        .or_else(|| said("number of entries"));
    if records.is_none() {
        return Err(Failure::unreadable(
            "<result> does not say how many entries the list has",
        ));
    }
    Ok(Counts {
        records,
        invalid: list
            .number("total-invalid")
            .or_else(|| said("total invalid entries")),
        ignored: list
            .number("total-ignored")
            .or_else(|| said("total ignored entries")),
    })
}

/// The reply to `request system external-list list-capacities`. Only `running-cap` is known from public readers of it;
/// what there may be at most is read under the names it is likely to have.
pub(crate) fn capacities(result: &Node) -> Result<Vec<ListCapacity>, Failure> {
    let mut kinds = Vec::new();
    kinds_below(result, &mut kinds);
    if kinds.is_empty() {
        return Err(Failure::unreadable("<result> names no capacity of lists"));
    }
    Ok(kinds)
}

fn kinds_below(node: &Node, kinds: &mut Vec<ListCapacity>) {
    for child in &node.children {
        let most = ["max-cap", "total-cap", "capacity"];
        let most = most.iter().find_map(|name| child.number(name));
        let used = child.number("running-cap");
        if child.child("running-cap").is_none() {
            kinds_below(child, kinds);
            continue;
        }
        let name = child.attribute("name").or_else(|| child.value("name"));
        let name = name.or_else(|| child.value("type")).unwrap_or(&child.name);
        kinds.push(ListCapacity {
            kind: printable(name, 80),
            used,
            most,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(place: &str, name: &str, kind: Option<&str>) -> ExternalList {
        ExternalList {
            place: place.to_owned(),
            name: name.to_owned(),
            kind: kind.map(str::to_owned),
            source: None,
            certificate_profile: None,
            authenticated: false,
            every: None,
            at: None,
            day: None,
        }
    }

    #[test]
    fn a_list_is_asked_about_in_its_virtual_system_and_its_name_stays_a_name() {
        let asked = ListQuestion::of(vec![
            list("vsys2", "a</name><name>b", Some("ip")),
            list("shared", "everywhere", Some("predefined-url")),
            list("vsys1", "odd", Some("ip><x")),
            list("vsys1", "nothing", None),
        ]);
        let told: Vec<String> = asked
            .iter()
            .map(|one| format!("{:?} {}", one.vsys, one.command))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        Some("vsys2") <request><system><external-list><show><type><ip><name>a&lt;/name&gt;&lt;name&gt;b</name><num-records>1</num-records></ip></type></show></external-list></system></request>
        None <request><system><external-list><show><type><predefined-url><name>everywhere</name><num-records>1</num-records></predefined-url></type></show></external-list></system></request>
        "#);
        assert_eq!(
            asked[1].typed(),
            "request system external-list show type predefined-url name everywhere num-records 1"
        );
    }

    #[test]
    fn so_many_lists_are_asked_about_and_the_rest_says_so() {
        let many = (0..MOST_LISTS + 1).map(|number| list("vsys1", &number.to_string(), Some("ip")));
        assert_eq!(ListQuestion::of(many.collect()).len(), MOST_LISTS);
        let rest = content(list("vsys1", "200", Some("ip")), None);
        insta::assert_snapshot!(rest.unreadable.unwrap(), @"only 200 lists are asked about");
    }
}
