//! The table of rights in docs/dispatcher.md.

use std::path::Path;

/// The rights of a row's kind; with `part` only those between it and the next `;`, without it those before.
pub fn rights(kind: &str, part: &str) -> Vec<String> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/dispatcher.md");
    let document = std::fs::read_to_string(document).unwrap();
    let table = document.split("## Rights").nth(1).unwrap().split("\n## ").next().unwrap();
    let row = table.lines().find(|line| line.starts_with(&format!("| `{kind}` |"))).unwrap();
    let cell = row.split('|').nth(2).unwrap();
    let of = cell.split(';').find(|piece| piece.trim().starts_with(part)).unwrap();
    let words = of.split('`').filter(|word| word.contains(':') && !word.contains(' '));
    words.map(str::to_owned).collect()
}

#[test]
fn each_part_of_a_row_has_its_own_rights() {
    assert_eq!(rights("sqs", ""), ["sqs:SendMessage"]);
    assert_eq!(rights("dynamodb", ""), ["dynamodb:BatchWriteItem"]);
    assert_eq!(rights("dynamodb", "for `last-state`"), ["dynamodb:PutItem"]);
    assert_eq!(rights("dedupe.dynamodb", "`offsets`").len(), 3);
}
