//! Outputs of every kind: files, links, devices, pipes.

use super::{Kept, check, check_all, create, place, regular, replace};
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;

fn put(path: &Path, text: &str) -> io::Result<()> {
    replace(path, |file| file.write_all(text.as_bytes()))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_there_whole_or_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    put(&path, "one").unwrap();
    let broken = replace(&path, |file| {
        file.write_all(b"tw")?;
        Err(io::Error::other("no more"))
    });
    assert_eq!(broken.unwrap_err().to_string(), "no more");
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(folder.path())), ("one", vec!["run.json".into()]));
    put(&path, "two").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "two");
}

#[test]
fn two_outputs_are_two_files_and_no_file_ends_in_a_slash() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    symlink("a", at("link")).unwrap();
    assert_eq!(check_all(&[&at("a"), &at("b"), Path::new("/dev/null"), Path::new("/dev/null")], &[]), Ok(()));
    let shared = check_all(&[&at("a"), &at("b"), &at("link")], &[]).unwrap_err();
    assert!(shared.contains("link is named for two outputs"), "{shared}");
    assert!(check_all(&[&at("none/")], &[]).unwrap_err().contains("name a file in a folder that exists"));
}

#[test]
fn an_output_is_nothing_that_the_run_needs() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("in/deep")).unwrap();
    fs::write(at("load.toml"), "").unwrap();
    symlink("load.toml", at("link")).unwrap();
    symlink("in", at("other")).unwrap();
    let kept = [
        Kept::file("source.profile", &at("load.toml")),
        Kept::file("dir", &at("in")),
        Kept::tree("all", &at("other/deep")),
    ];
    for (output, said) in [
        ("load.toml", "it is source.profile as well"),
        ("link", "it is source.profile as well"),
        ("in/../load.toml", "it is source.profile as well"),
        ("in/deep/new", "it lies in all as well"),
    ] {
        let sentence = check_all(&[&at(output)], &kept).unwrap_err();
        assert!(sentence.contains(output) && sentence.contains(said), "{output}: {sentence}");
    }
    assert_eq!(check_all(&[&at("in/new"), &at("in/deeper"), &at("load.json")], &kept), Ok(()));
    // Through two ways to one folder, when the file itself is still to be made.
    assert!(check_all(&[&at("in/run"), &at("other/run")], &[]).unwrap_err().contains("two outputs"));
    assert_eq!(place(&at("other/none/x")), fs::canonicalize(folder.path()).unwrap().join("in/none/x"));
}

#[test]
fn links_are_followed_and_stay() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("deep")).unwrap();
    symlink("deep/run.json", at("first")).unwrap();
    symlink("first", at("second")).unwrap();
    for text in ["new", "again"] {
        check(&at("second")).unwrap();
        put(&at("second"), text).unwrap();
        assert_eq!(fs::read_to_string(at("deep/run.json")).unwrap(), text);
    }
    assert!(at("first").is_symlink() && at("second").is_symlink());
    assert_eq!(regular(&at("second")).unwrap(), fs::canonicalize(at("deep/run.json")).unwrap());
    symlink("round", at("round")).unwrap();
    symlink("nowhere/run.json", at("dangling")).unwrap();
    for bad in ["round", "dangling"] {
        check(&at(bad)).unwrap_err();
        put(&at(bad), "x").unwrap_err();
        assert!(at(bad).is_symlink());
    }
}

#[test]
fn a_device_behind_a_link_is_written_to_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("nothing");
    symlink("/dev/null", &link).unwrap();
    check(&link).unwrap();
    put(&link, "gone").unwrap();
    create(&link).unwrap().write_all(b"gone").unwrap();
    assert!(link.is_symlink() && fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    assert_eq!(regular(&link).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(names(folder.path()), ["nothing"]);
}

#[test]
fn a_pipe_gets_everything_and_one_that_nobody_reads_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    check(&pipe).unwrap();
    assert_eq!(put(&pipe, "x").unwrap_err().to_string(), "nobody reads the pipe");
    assert_eq!(create(&pipe).unwrap_err().to_string(), "nobody reads the pipe");
    // Opened for both, a pipe has a reader at once; more than it holds shows that the writer waits for room.
    let mut reader = fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    let long = "x".repeat(1 << 18);
    std::thread::scope(|scope| {
        scope.spawn(|| put(&pipe, &long).unwrap());
        let mut read = vec![0; long.len()];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(read, long.as_bytes());
    });
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
}

#[test]
fn folders_sockets_and_files_nowhere_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let _bound = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for (path, words) in [
        (folder.path(), "it is a folder, name a file"),
        (&socket, "it is a socket, name a file"),
        (Path::new("/nowhere/run.json"), "name a file in a folder that exists"),
        (Path::new(""), "name a file in a folder that exists"),
    ] {
        assert!(check(path).unwrap_err().ends_with(words), "{:?}", check(path));
    }
    assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
}
