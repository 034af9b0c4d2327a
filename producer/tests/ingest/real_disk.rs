//! A file system of its own under the spool: it fills up, has room again, and turns read-only in the middle of the work, as ext4 does
//! after an error of the device. Needs the right to mount one.

use crate::client::Reply;
use crate::sender::{REQUEST, Sender};
use crate::stage::Stage;
use localenv::process::Guarded;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

const SIZE: u64 = 24 << 20;
/// Room that is left for the spool.
const ROOM: u64 = 8 << 20;

/// An ext4 file system in a file, mounted as long as this lives.
pub struct Disk {
    image: PathBuf,
    pub at: PathBuf,
}

/// Runs it to the end; what it says when it fails.
pub fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {said}")) }
}

impl Disk {
    fn new(stage: &Stage) -> Result<Self, String> {
        let disk = Self { image: stage.path("image"), at: stage.path("disk") };
        fs::create_dir(&disk.at).unwrap();
        fs::File::create(&disk.image).unwrap().set_len(SIZE).unwrap();
        run(Command::new("mkfs.ext4").arg("-q").arg(&disk.image))?;
        disk.mount()?;
        Ok(disk)
    }

    fn mount(&self) -> Result<(), String> {
        run(Command::new("mount").args(["-o", "loop,errors=remount-ro"]).arg(&self.image).arg(&self.at))
    }

    /// The device that the kernel put under it.
    fn device(&self) -> String {
        let (mounts, at) = (fs::read_to_string("/proc/self/mounts").unwrap(), self.at.to_str().unwrap());
        let line = mounts.lines().find(|line| line.split(' ').nth(1) == Some(at)).expect("it is mounted");
        line.split(' ').next().unwrap().trim_start_matches("/dev/").to_owned()
    }

    /// Takes all room but `left`.
    fn fill(&self, left: u64) -> PathBuf {
        let statistics = nix::sys::statvfs::statvfs(&self.at).unwrap();
        let free = statistics.blocks_available() as u64 * statistics.fragment_size() as u64;
        let ballast = self.at.join("ballast");
        fs::write(&ballast, vec![0; (free - left) as usize]).unwrap();
        ballast
    }

    /// Has the kernel find an error on it: from here on it is read-only.
    fn fail(&self) {
        fs::write(format!("/sys/fs/ext4/{}/trigger_fs_error", self.device()), "1").unwrap();
        assert!(fs::write(self.at.join("x"), "x").is_err(), "it can be written");
    }

    /// Repairs it; nobody may have a file open.
    fn mend(&self) {
        run(Command::new("umount").arg(&self.at)).unwrap();
        self.mount().unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: whatever the test left open must not keep it.
        let _ = run(Command::new("umount").arg("-l").arg(&self.at));
    }
}

/// The disk, or `None` with a word to whoever reads the output; CI must have the right.
pub fn disk(stage: &Stage) -> Option<Disk> {
    let refused = match Disk::new(stage) {
        Ok(disk) => return Some(disk),
        Err(refused) => refused,
    };
    assert!(std::env::var("CI").unwrap_or_default().is_empty(), "CI must be able to mount a file system: {refused}");
    // Not by `eprintln!`, because the output of a test is shown only when it fails.
    let mut output = std::io::stderr();
    writeln!(output, "NOT RUN: the story of a real disk needs the right to mount one: {refused}").unwrap();
    None
}

fn names(reason: &str, why: &str) -> bool {
    why.contains("spool.redb cannot be used") && why.contains(reason)
}

/// Sends until the disk refuses; the answer says why, and readiness fails with the same words.
fn refuses(stage: &Stage, producer: &mut Guarded, sender: &mut Sender, reason: &str) {
    let refused: Reply = stage.until(producer, reason, || {
        let reply = sender.send();
        assert!([202, 503].contains(&reply.status), "{}", reply.json());
        (reply.reason() == "closed").then_some(reply)
    });
    assert!(names(reason, refused.json()["error"].as_str().unwrap()), "{}", refused.json());
    let unready = stage.until_unready(producer);
    let wrong = &unready.json()["wrong"][0];
    assert!(wrong["component"] == "spool" && names(reason, wrong["why"].as_str().unwrap()), "{wrong}");
    assert!(stage.log().contains("the spool's disk refuses"), "{}", stage.log());
}

#[test]
fn a_disk_that_fills_up_and_one_that_turns_read_only_lose_nothing_that_was_answered_202() {
    let stage = Stage::new();
    let Some(disk) = disk(&stage) else { return };
    let spool = format!("[spool]\ndir = {:?}\nafter = \"500ms\"", disk.at.join("spool"));
    let mut producer = stage.start("answer_within = \"1s\"", &spool);
    let mut sender = Sender::to(stage.address(&mut producer));
    assert_eq!(sender.send().status, 202, "Kafka is there");
    let ballast = disk.fill(ROOM);
    stage.brokers(false);

    refuses(&stage, &mut producer, &mut sender, "No space left on device");
    fs::remove_file(ballast).unwrap();
    stage.until(&mut producer, "room", || (sender.send().status == 202).then_some(()));
    assert_eq!(stage.admin().get("/readyz").status, 200, "{}", stage.log());
    assert!(stage.log().contains("the spool's disk works again"), "{}", stage.log());

    disk.fail();
    refuses(&stage, &mut producer, &mut sender, "Read-only file system");
    // All requests but the first are on the disk alone.
    let spooled = (sender.accepted() - 1) * REQUEST;
    assert!(spooled > 0);
    producer.kill().unwrap();
    cannot_start(&stage, &spool);

    disk.mend();
    stage.brokers(true);
    let mut producer = stage.start("", &spool);
    sender.move_to(stage.address(&mut producer));
    assert_eq!(sender.send().status, 202, "it can be written again");
    stage.until_empty(&mut producer);
    let report = stage.stop(&mut producer);
    assert!(report.adds_up() && report.recovered >= spooled, "{report}");
    assert_eq!((report.in_spool, report.failed, report.dead_lettered), (0, 0, 0), "{report}");
    sender.assert_delivered(&stage.read_all());
}

/// On a disk that is read-only from the beginning it does not start, and says why.
fn cannot_start(stage: &Stage, spool: &str) {
    let code = stage.start("", spool).wait_exit(crate::stage::DEADLINE).unwrap().expect("it ends").code();
    assert_eq!(code, Some(1), "{}", stage.log());
    let last = stage.log().lines().last().unwrap().to_owned();
    assert!(last.contains("cannot be used") && last.contains("Read-only file system"), "{last}");
}
