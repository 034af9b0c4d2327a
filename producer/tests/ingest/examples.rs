//! docs/ingest.md holds: every command in it is run, and answers what stands below it.

use crate::stage::Stage;
use std::process::Command;

const TEXT: &str = include_str!("../../../docs/ingest.md");

/// The fenced blocks of the text: language, content.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let mut blocks = Vec::new();
    let mut rest = TEXT;
    while let Some((_, from)) = rest.split_once("\n```") {
        let (block, after) = from.split_once("\n```").expect("a block that ends");
        let (language, content) = block.split_once('\n').unwrap_or((block, ""));
        blocks.push((language, content));
        rest = after;
    }
    blocks
}

#[test]
fn every_command_answers_what_stands_below_it() {
    let stage = Stage::new();
    let mut producer = stage.start("", "");
    let address = stage.address(&mut producer);
    let blocks = blocks();
    let mut run = 0;
    for pair in blocks.windows(2) {
        let [("sh", command), ("json", expected)] = pair else { continue };
        let mut shell = Command::new("sh");
        let ran = shell.arg("-c").arg(command).current_dir(stage.path("")).env("INGEST", format!("http://{address}"));
        let output = ran.output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let problem = String::from_utf8_lossy(&output.stderr).into_owned();
        let found: serde_json::Value =
            serde_json::from_str(&told).unwrap_or_else(|_| panic!("{command}\n{told}{problem}"));
        let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
        assert_eq!(found, expected, "{command}");
        run += 1;
    }
    assert!(run >= 3, "{run} commands");
    stage.stop(&mut producer);
}
