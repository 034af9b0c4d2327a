//! A spool on which the producer may not write: told at the start, in one sentence that names it.

use crate::stage::{Stage, smoke};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Has no rights beyond everybody's.
const NOBODY: u32 = 65_534;

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The producer, as somebody whom the rights of files hold back: root is not, and then it is nobody's.
fn unprivileged(stage: &Stage) -> Command {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return Command::new(env!("CARGO_BIN_EXE_comboio-producer"));
    }
    // Nobody may not even look into the folders of builds and tests.
    let folder = stage.path("");
    allow(&folder, 0o755);
    let program = folder.join("comboio-producer");
    fs::copy(env!("CARGO_BIN_EXE_comboio-producer"), &program).unwrap();
    allow(&program, 0o755);
    let mut command = Command::new(program);
    command.uid(NOBODY).gid(NOBODY).current_dir(folder);
    command
}

/// Starts it with this spool; what it says, and its exit code.
fn refusal(stage: &Stage, spool: &Path) -> (Option<i32>, String) {
    let profile = stage.path("load.toml");
    fs::copy(smoke(), &profile).unwrap();
    let config = stage.configure(&format!("[source]\nprofile = {profile:?}\n[spool]\ndir = {spool:?}"));
    let output = unprivileged(stage).arg("run").arg("--config").arg(config).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_spool_without_the_right_to_write_is_one_sentence_with_its_path_and_exit_1() {
    let stage = Stage::new();
    let closed = stage.path("closed");
    fs::create_dir(&closed).unwrap();
    allow(&closed, 0o555);
    let open = stage.path("open");
    fs::create_dir(&open).unwrap();
    // A file that somebody else wrote, in a folder that anybody may use.
    drop(producer::spool::Spool::open(&open, 1 << 20).unwrap());
    allow(&open, 0o777);
    allow(&open.join("spool.redb"), 0o444);
    for (dir, named) in [
        (closed.clone(), closed.join("spool.redb")),
        (closed.join("new"), closed.join("new").join("spool.redb")),
        (open.clone(), open.join("spool.redb")),
    ] {
        let (code, said) = refusal(&stage, &dir);
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
        let line: serde_json::Value = serde_json::from_str(&said).unwrap();
        let error = line["error"].as_str().unwrap();
        let sentence = format!("the spool {} cannot be used: ", named.display());
        assert!(error.starts_with(&sentence) && error.contains("Permission denied"), "{said}");
        assert!(error.contains("check free space and rights"), "{said}");
    }
    assert_eq!(fs::read_dir(&closed).unwrap().count(), 0);
}
