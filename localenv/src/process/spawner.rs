//! The one thread that starts every child process.
//!
//! `PR_SET_PDEATHSIG` fires when the *thread* that forked ends, not when its process does (prctl(2)). A child started
//! by a test thread or a tokio worker would die with that thread; this one lives as long as the process.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{self, Pid};

struct Order {
    command: Command,
    reply: Sender<io::Result<Child>>,
}

static SPAWNER: OnceLock<Sender<Order>> = OnceLock::new();

/// Starts `command` in a process group of its own, to be killed by the kernel when this process ends in any way.
///
/// # Errors
/// The program cannot be started.
pub fn spawn(mut command: Command) -> io::Result<Child> {
    command.process_group(0);
    die_with(&mut command, unistd::getpid());
    let (reply, answer) = mpsc::channel();
    orders().send(Order { command, reply }).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}

fn orders() -> &'static Sender<Order> {
    SPAWNER.get_or_init(|| {
        let (sender, receiver) = mpsc::channel();
        // If no thread can be had, the receiver is dropped with the closure and every order is answered by `gone`.
        let _ = thread::Builder::new().name("spawner".to_owned()).spawn(move || serve(&receiver));
        sender
    })
}

/// Ends never: the sender is static.
fn serve(orders: &Receiver<Order>) {
    for mut order in orders {
        // Who ordered may have been unwound since; the child is then not wanted any more.
        if let Err(unwanted) = order.reply.send(order.command.spawn())
            && let Ok(mut child) = unwanted.0
        {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn die_with(command: &mut Command, parent: Pid) {
    let ask = move || {
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        // The parent may have ended between fork and the line above; nobody would send the signal then.
        if unistd::getppid() != parent { Err(Errno::ESRCH.into()) } else { Ok(()) }
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed; prctl and getppid are plain system calls,
    // and the closure neither allocates nor locks.
    unsafe { command.pre_exec(ask) };
}

fn gone() -> io::Error {
    io::Error::other("the thread that starts processes is gone")
}
