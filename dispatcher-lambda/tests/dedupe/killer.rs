//! A service behind the function that says when it is hit, and then says nothing more: the moment to kill the function.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// At which moment of a delivery it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    BeforeDelivery,
    AfterDelivery,
    Never,
}

/// A collector over HTTP.
pub struct Killer {
    pub url: String,
    state: Shared,
    hits: UnboundedReceiver<()>,
}

#[derive(Clone)]
struct Shared {
    moment: Arc<Mutex<Moment>>,
    lines: Arc<Mutex<Vec<String>>>,
    hit: UnboundedSender<()>,
}

impl Killer {
    pub async fn start(moment: Moment) -> Self {
        let (hit, hits) = unbounded_channel();
        let state = Shared { moment: Arc::new(Mutex::new(moment)), lines: Arc::default(), hit };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().route("/", post(take)).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, state, hits }
    }

    /// Waits until it has stopped somebody; from now on it takes everything.
    pub async fn hit(&mut self) {
        self.hits.recv().await.unwrap();
        *self.state.moment.lock().unwrap() = Moment::Never;
    }

    pub fn lines(&self) -> Vec<String> {
        self.state.lines.lock().unwrap().clone()
    }
}

async fn take(State(state): State<Shared>, body: String) {
    let moment = *state.moment.lock().unwrap();
    if moment != Moment::BeforeDelivery {
        state.lines.lock().unwrap().extend(body.lines().map(str::to_owned));
    }
    if moment != Moment::Never {
        state.hit.send(()).unwrap();
        std::future::pending::<()>().await;
    }
}

/// In front of another service: brings it everything, and says when its first answer comes, which it keeps for itself.
pub async fn swallow_first_answer(target: SocketAddr) -> (SocketAddr, UnboundedReceiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, (hit, hits)) = (listener.local_addr().unwrap(), unbounded_channel());
    tokio::spawn(async move {
        let mut first = true;
        while let Ok((near, _)) = listener.accept().await {
            let hit = std::mem::take(&mut first).then(|| hit.clone());
            tokio::spawn(carry(near, target, hit));
        }
    });
    (address, hits)
}

async fn carry(mut near: TcpStream, target: SocketAddr, hit: Option<UnboundedSender<()>>) {
    let mut far = TcpStream::connect(target).await.unwrap();
    let Some(hit) = hit else {
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        return;
    };
    let (mut to, mut back) = (vec![0; 65_536], [0; 1_024]);
    loop {
        tokio::select! {
            read = near.read(&mut to) => match read {
                Ok(count) if count > 0 => far.write_all(&to[..count]).await.unwrap(),
                _ => return,
            },
            read = far.read(&mut back) => {
                assert!(read.unwrap() > 0);
                hit.send(()).unwrap();
                return std::future::pending().await;
            }
        }
    }
}
