//! The lookup file of an enrichment, read once at the cold start: a key, and the fields that it brings.

use crate::fields::Fields;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// Names and raw JSON of the fields, by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lookup {
    rows: HashMap<String, Vec<(String, String)>>,
}

impl Lookup {
    /// Reads the file at `path`; its name says what it is, `.json` or `.csv`.
    ///
    /// # Errors
    /// A sentence: a file that cannot be read, or the first line or entry that is bad.
    pub fn load(path: &str) -> Result<Self, String> {
        let kind = Path::new(path).extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if !matches!(kind, "json" | "csv") {
            return Err("allowed is the path of a .json or a .csv file".to_owned());
        }
        let text = std::fs::read_to_string(path).map_err(|error| format!("the file cannot be read: {error}"))?;
        Self::read(kind, text.trim_start_matches('\u{feff}'))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn read(kind: &str, text: &str) -> Result<Self, String> {
        if kind == "json" { json(text) } else { csv(text) }
    }

    pub fn find(&self, key: &str) -> Option<&[(String, String)]> {
        self.rows.get(key).map(Vec::as_slice)
    }

    /// Every name that an entry brings.
    pub fn names(&self) -> BTreeSet<&str> {
        self.rows.values().flatten().map(|(name, _)| name.as_str()).collect()
    }

    fn insert(&mut self, key: &str, fields: Vec<(String, String)>) -> Result<(), String> {
        if key.is_empty() {
            return Err("an entry has no key".to_owned());
        }
        let mut names = BTreeSet::new();
        if let Some((twice, _)) = fields.iter().find(|(name, _)| !names.insert(name)) {
            return Err(format!("{key} has {twice} twice"));
        }
        match self.rows.insert(key.to_owned(), fields) {
            None => Ok(()),
            Some(_) => Err(format!("{key} stands twice")),
        }
    }
}

/// An object of objects: `{"BR04217":{"fleet":"north"}}`.
fn json(text: &str) -> Result<Lookup, String> {
    let mut lookup = Lookup::default();
    let entries = Fields::read(text).map_err(|error| format!("the file is no JSON object: {error}"))?;
    for (key, raw) in &entries.0 {
        let fields = Fields::read(raw).map_err(|_| format!("the entry of {key} is no JSON object"))?;
        lookup.insert(key, fields.0.iter().map(|(name, raw)| (name.to_string(), (*raw).to_owned())).collect())?;
    }
    Ok(lookup)
}

/// The first line names the fields, the first cell of every other is the key. All values are texts; an empty cell is no field.
fn csv(text: &str) -> Result<Lookup, String> {
    let mut lookup = Lookup::default();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let mut lines = lines.map(|(place, line)| match cells(line) {
        Some(cells) => Ok((place + 1, cells)),
        None => Err(format!("line {}: a quote stands alone", place + 1)),
    });
    let Some(head) = lines.next() else { return Err("the file has no line that names the fields".to_owned()) };
    let (at, head) = head?;
    if head.iter().any(String::is_empty) {
        return Err(format!("line {at}: a field has no name"));
    }
    for line in lines {
        let (at, cells) = line?;
        if cells.len() != head.len() {
            return Err(format!("line {at}: {} cells, the first line has {}", cells.len(), head.len()));
        }
        let named = head.iter().zip(&cells).skip(1).filter(|(_, cell)| !cell.is_empty());
        let fields = named.map(|(name, cell)| (name.clone(), serde_json::Value::from(cell.as_str()).to_string()));
        lookup.insert(&cells[0], fields.collect()).map_err(|sentence| format!("line {at}: {sentence}"))?;
    }
    Ok(lookup)
}

/// The cells of one line, without the spaces around them. `"` stands around a cell that holds commas; two of them are one.
fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = Vec::new();
    let mut rest = line.trim();
    loop {
        let (cell, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_cell(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim_end().to_owned(), &rest[end..])
            }
        };
        if cell.contains('"') && !rest.starts_with('"') {
            return None;
        }
        cells.push(cell);
        match behind.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => return behind.is_empty().then_some(cells),
        }
    }
}

/// What stands before the closing quote, and what behind it.
fn quoted_cell(quoted: &str) -> Option<(String, &str)> {
    let mut from = 0;
    loop {
        let end = from + quoted[from..].find('"')?;
        match quoted[end + 1..].strip_prefix('"') {
            Some(_) => from = end + 2,
            None => return Some((quoted[..end].replace("\"\"", "\""), quoted[end + 1..].trim_start())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lookup;
    use proptest::prelude::*;

    #[test]
    fn an_object_of_objects_keeps_its_texts() {
        let lookup = Lookup::read("json", r#"{"BR1":{"fleet":"n","tier":1.50},"BR2":{}}"#).unwrap();
        let names: Vec<&str> = lookup.names().into_iter().collect();
        assert_eq!(names, ["fleet", "tier"]);
        assert_eq!(lookup.find("BR1").unwrap()[1], ("tier".to_owned(), "1.50".to_owned()));
        assert_eq!((lookup.find("BR2"), lookup.find("BR3")), (Some(&[][..]), None));
    }

    #[test]
    fn cells_may_be_quoted_and_empty_ones_are_nothing() {
        let lookup = Lookup::read("csv", "id, a ,b\r\n\r\n x ,\"say \"\"1, 2\"\"\" , \n\"y\",,2\n").unwrap();
        assert_eq!(lookup.find("x").unwrap(), [("a".to_owned(), r#""say \"1, 2\"""#.to_owned())]);
        assert_eq!(lookup.find("y").unwrap(), [("b".to_owned(), "\"2\"".to_owned())]);
    }

    #[test]
    fn the_first_bad_line_is_named() {
        for (kind, text, sentence) in [
            ("csv", "", "the file has no line that names the fields"),
            ("csv", "id,,b\n", "line 1: a field has no name"),
            ("csv", "id,a\nx,1\ny\n", "line 3: 1 cells, the first line has 2"),
            ("csv", "id,a\nx,1\n\nx,2\n", "line 4: x stands twice"),
            ("csv", "id,a,a\nx,1,2\n", "line 2: x has a twice"),
            ("csv", "id,a\n,1\n", "line 2: an entry has no key"),
            ("csv", "id,a\nx,\"1\n", "line 2: a quote stands alone"),
            ("csv", "id,a\nx,1\"\n", "line 2: a quote stands alone"),
            ("csv", "id,a\nx,\"1\"2\n", "line 2: a quote stands alone"),
            ("json", "[]", "the file is no JSON object: invalid type: sequence, expected an object at line 1 column 0"),
            ("json", "{\"x\":1}", "the entry of x is no JSON object"),
            ("json", "{\"x\":{},\"x\":{}}", "x stands twice"),
            ("json", "{\"x\":{\"a\":1,\"a\":2}}", "x has a twice"),
        ] {
            assert_eq!(Lookup::read(kind, text).unwrap_err(), sentence);
        }
        assert!(Lookup::load("/no/such/file.csv").unwrap_err().starts_with("the file cannot be read: "));
        assert_eq!(Lookup::load("trucks.txt").unwrap_err(), "allowed is the path of a .json or a .csv file");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a,\" \n\\{\\}:é]{0,40}") {
            let _ = (Lookup::read("csv", &text), Lookup::read("json", &text));
        }
    }
}
