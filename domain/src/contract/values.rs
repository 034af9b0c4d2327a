//! The values of a batch, joined by commas, in the very memory that becomes the request: room is kept for what stands before them.

use bytes::Bytes;

/// See the head of the file.
#[derive(Debug, Clone)]
pub(super) struct Values {
    memory: Memory,
    /// Bytes in front of the first value.
    room: usize,
    /// Bytes of all values with their commas.
    len: usize,
}

#[derive(Debug, Clone)]
enum Memory {
    Growing(Vec<u8>),
    /// It has been a request, and may still be one.
    Shared(Bytes),
}

impl Values {
    /// With `room` in front, and memory for `capacity` bytes from there on.
    pub(super) fn with_room(room: usize, capacity: usize) -> Self {
        let mut memory = Vec::with_capacity(room + capacity);
        memory.resize(room, 0);
        Self { memory: Memory::Growing(memory), room, len: 0 }
    }

    pub(super) fn push(&mut self, value: &[u8]) {
        if let Memory::Shared(all) = &self.memory {
            self.memory = Memory::Growing(all[..self.room + self.len].to_vec());
        }
        let Memory::Growing(memory) = &mut self.memory else { return };
        if self.len > 0 {
            memory.push(b',');
        }
        memory.extend_from_slice(value);
        self.len = memory.len() - self.room;
    }

    /// Bytes of all values with their commas.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        let memory: &[u8] = match &self.memory {
            Memory::Growing(memory) => memory,
            Memory::Shared(memory) => memory,
        };
        &memory[self.room..self.room + self.len]
    }

    /// `before`, the values and `after` in a row, without a copy of the values. `None` when the room is too small, or they have been
    /// enclosed before.
    pub(super) fn enclose(&mut self, before: &[u8], after: &[u8]) -> Option<Bytes> {
        let Memory::Growing(memory) = &mut self.memory else { return None };
        let start = self.room.checked_sub(before.len())?;
        memory[start..self.room].copy_from_slice(before);
        memory.extend_from_slice(after);
        let all = Bytes::from(std::mem::take(memory));
        self.memory = Memory::Shared(all.clone());
        Some(all.slice(start..))
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Values {}
