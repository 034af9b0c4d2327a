//! Decides, from what is seen, what there is to tell and to prove. No thread, no file, no network.
//!
//! A look finds one of four things: the bundle in use (well), another sound bundle (to be proved), a bundle that cannot be
//! right however long one waits (refused at once), or parts that do not fit or cannot be read. The last is normal while
//! files are replaced one after the other, so it is told only when `settle` looks in a row have found it. A bundle that a
//! broker refused is proved again from time to time, because brokers can learn to trust it; only a change is told.

use super::{Event, Objection};
use crate::certificates::{Bundle, Fingerprint, Material, ReadError};
use std::sync::Arc;

/// How many looks lie between two proofs of the same refused bundle.
const PROVE_AGAIN: u32 = 10;

/// What follows from a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    Tell(Event),
    /// Ask a broker, then call [`Vigil::proved`].
    Prove(Arc<Bundle>),
}

pub(super) struct Vigil {
    current: Arc<Bundle>,
    /// Its content, once it was seen; when it ends where it lies, that is no news of new ones.
    in_use: Option<Fingerprint>,
    settle: u32,
    /// Looks in a row after which nothing certain could be said.
    unsettled: u32,
    /// The trouble that was told last and is not over.
    told: Option<Trouble>,
    /// The content that is being proved or was refused by a broker, and the looks since.
    proving: Option<(Fingerprint, u32)>,
}

/// Troubles of which one line is enough.
#[derive(PartialEq, Eq)]
enum Trouble {
    Sentence(String),
    /// Why brokers do not answer reads a little different every time.
    NoBroker,
}

impl Vigil {
    pub(super) fn new(current: Arc<Bundle>, settle: u32) -> Self {
        Self { current, in_use: None, settle, unsettled: 0, told: None, proving: None }
    }

    /// One look at what lies there now.
    pub(super) fn look(&mut self, seen: &Result<Material, ReadError>, now_ms: i64) -> Next {
        let material = match seen {
            Ok(material) => material,
            Err(error) => {
                let reason = error.to_string();
                return self.unsettled(Trouble::Sentence(reason.clone()), Event::Unreachable { reason });
            }
        };
        match material.bundle(now_ms) {
            Ok(bundle) if bundle.is_same(&self.current) => self.well(material.fingerprint()),
            Err(_) if self.in_use == Some(material.fingerprint()) => Next::Nothing,
            Ok(bundle) => self.other(bundle, material.fingerprint()),
            Err(fault) => {
                let (reason, may_settle) = (fault.to_string(), fault.may_settle());
                let event = Event::Refused { reason: reason.clone() };
                match may_settle {
                    true => self.unsettled(Trouble::Sentence(reason), event),
                    false => self.tell(Trouble::Sentence(reason), event),
                }
            }
        }
    }

    /// What came of a proof.
    pub(super) fn proved(&mut self, bundle: Arc<Bundle>, outcome: Result<(), Objection>) -> Option<Event> {
        let next = match outcome {
            Ok(()) => {
                self.current = bundle.clone();
                (self.unsettled, self.told, self.proving) = (0, None, None);
                Next::Tell(Event::New(bundle))
            }
            Err(Objection::Refused(reason)) => {
                self.unsettled = 0;
                self.tell(Trouble::Sentence(reason.clone()), Event::Refused { reason })
            }
            Err(Objection::NotNow(reason)) => {
                self.proving = None;
                self.unsettled(Trouble::NoBroker, Event::Unreachable { reason })
            }
        };
        match next {
            Next::Tell(event) => Some(event),
            Next::Nothing | Next::Prove(_) => None,
        }
    }

    fn well(&mut self, fingerprint: Fingerprint) -> Next {
        (self.unsettled, self.proving, self.in_use) = (0, None, Some(fingerprint));
        match self.told.take() {
            Some(_) => Next::Tell(Event::Recovered),
            None => Next::Nothing,
        }
    }

    fn other(&mut self, bundle: Bundle, fingerprint: Fingerprint) -> Next {
        if let Some((known, looks)) = &mut self.proving
            && *known == fingerprint
        {
            *looks += 1;
            if *looks % PROVE_AGAIN != 0 {
                return Next::Nothing;
            }
        } else {
            self.proving = Some((fingerprint, 0));
        }
        Next::Prove(Arc::new(bundle))
    }

    fn unsettled(&mut self, trouble: Trouble, event: Event) -> Next {
        self.unsettled = self.unsettled.saturating_add(1);
        if self.unsettled < self.settle { Next::Nothing } else { self.tell(trouble, event) }
    }

    fn tell(&mut self, trouble: Trouble, event: Event) -> Next {
        if self.told.as_ref() == Some(&trouble) {
            return Next::Nothing;
        }
        self.told = Some(trouble);
        Next::Tell(event)
    }
}
