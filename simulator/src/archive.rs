//! Archives as a device exports them: a tar in a gzip that any reader opens.
//!
//! Nothing is compressed: the files are small and made to be thrown away. Formats: POSIX ustar, RFC 1952, RFC 1951.

/// A `.tgz` with these files in it, in this order. `seconds` is their time of change.
pub(crate) fn tgz(files: &[(&str, &[u8])], seconds: i64) -> Vec<u8> {
    gzip(&tar(files, seconds))
}

const BLOCK: usize = 512;

fn tar(files: &[(&str, &[u8])], seconds: i64) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in files {
        archive.extend_from_slice(&header(name, content.len(), seconds));
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    // Two empty blocks end an archive.
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

fn header(name: &str, length: usize, seconds: i64) -> [u8; BLOCK] {
    let mut header = [0_u8; BLOCK];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name.get(..name.len().min(100)).unwrap_or_default());
    put(100, "0000600\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{length:011o}\0"));
    put(136, &format!("{:011o}\0", seconds.clamp(0, 0o77_777_777_777)));
    // The checksum is taken with blanks in its own place.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    header[148..156].copy_from_slice(sum.as_bytes());
    header
}

fn gzip(content: &[u8]) -> Vec<u8> {
    // No name, no time, made on Unix.
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let mut blocks = content.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        file.push(u8::from(blocks.peek().is_none()));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        file.extend_from_slice(&length.to_le_bytes());
        file.extend_from_slice(&(!length).to_le_bytes());
        file.extend_from_slice(block);
    }
    file.extend_from_slice(&crc32(content).to_le_bytes());
    let length = u32::try_from(content.len() & 0xffff_ffff).unwrap_or(0);
    file.extend_from_slice(&length.to_le_bytes());
    file
}

/// The checksum of RFC 1952, bit by bit: a file is a few kilobytes.
fn crc32(content: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    };
    !content.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let header = header("a", 3, 0);
        let sum: u32 = header
            .iter()
            .enumerate()
            .map(|(at, byte)| {
                if (148..156).contains(&at) {
                    32
                } else {
                    u32::from(*byte)
                }
            })
            .sum();
        assert_eq!(&header[148..154], format!("{sum:06o}").as_bytes());
    }

    #[test]
    fn an_archive_is_whole_blocks() {
        let archive = tar(&[("a", b"xyz"), ("b", &[7; 600])], 1);
        assert_eq!(archive.len(), BLOCK * (2 + 3 + 2));
        assert_eq!(&archive[..2], b"a\0");
        assert_eq!(gzip(&archive).len(), 10 + 5 + archive.len() + 8);
        assert_eq!(gzip(&[0; 70_000]).len(), 10 + 5 * 2 + 70_000 + 8);
    }
}
