//! Reads all parts of a bundle, from files and from S3; what has not changed on S3 is not fetched again.

use super::fault::{CertificateError, Role};
use super::files::Files;
use super::material::{Material, Piece};
use super::place::Place;
use super::source::Source;
use runtime::objects::{ObjectDesk, ObjectError, ObjectUri, Sighting};

/// A part that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A file: can be seen without the network.
    #[error(transparent)]
    File(CertificateError),
    /// An object: S3 has to answer.
    #[error("{}: {error}", role.setting())]
    Object { role: Role, error: ObjectError },
}

/// Reads one source again and again.
#[derive(Debug)]
pub struct Reader {
    source: Source,
    desk: Option<ObjectDesk>,
    known: Vec<Known>,
    files: Files,
}

/// An object as it was when it was last fetched.
struct Known {
    uri: ObjectUri,
    etag: String,
    bytes: Vec<u8>,
}

impl Reader {
    pub fn new(source: Source) -> Self {
        Self { source, desk: None, known: Vec::new(), files: Files::default() }
    }

    /// Reads every part once. Waits no longer than 5 s for a file, and than the store's timeout for an object (and a
    /// little for the first).
    ///
    /// # Errors
    /// The first part that cannot be read.
    pub fn read(&mut self) -> Result<Material, ReadError> {
        let mut pieces = Vec::new();
        for (role, place) in self.source.places() {
            let bytes = match &place {
                Place::File(path) => self.files.read(path).map_err(|error| {
                    let reason = error.to_string();
                    ReadError::File(CertificateError::Unreadable { file: path.clone(), role, reason })
                })?,
                Place::Object(uri) => self.object(uri, role)?,
            };
            pieces.push(Piece { role, file: place.name(), bytes });
        }
        Ok(Material::new(self.source.form.clone(), pieces))
    }

    fn object(&mut self, uri: &ObjectUri, role: Role) -> Result<Vec<u8>, ReadError> {
        let desk = match self.desk.take() {
            Some(desk) => desk,
            None => ObjectDesk::start(self.source.store.clone()).map_err(|error| {
                let file = Place::Object(uri.clone()).name();
                ReadError::File(CertificateError::Unreadable { file, role, reason: error.to_string() })
            })?,
        };
        let place = self.known.iter().position(|known| known.uri == *uri);
        let etag = place.map(|place| self.known[place].etag.as_str()).filter(|etag| !etag.is_empty());
        let seen = desk.get_if_changed(uri, etag);
        self.desk = Some(desk);
        match (seen.map_err(|error| ReadError::Object { role, error })?, place) {
            (Sighting::Unchanged, Some(place)) => Ok(self.known[place].bytes.clone()),
            // Only a store that answers "not modified" without being asked gets here; then nothing is known.
            (Sighting::Unchanged, None) => Ok(Vec::new()),
            (Sighting::Object { bytes, etag }, place) => {
                place.map(|place| self.known.swap_remove(place));
                self.known.push(Known { uri: uri.clone(), etag, bytes: bytes.clone() });
                Ok(bytes)
            }
        }
    }
}

/// An object may be a key.
impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("uri", &self.uri).field("etag", &self.etag).finish_non_exhaustive()
    }
}
