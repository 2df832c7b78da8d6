//! mb_u_int32 and the integers that travel as OPAQUE (wbxml 1, 5.3).

/// Reads an mb_u_int32 at the start of `octets`: its value and its length, 1 to 5 octets.
/// `None` when it is cut off, longer, or above 0xFFFFFFFF.
#[inline]
pub fn read_mb_u_int32(octets: &[u8]) -> Option<(u32, usize)> {
    let mut value: u64 = 0;
    for (at, octet) in octets.iter().take(5).enumerate() {
        value = value << 7 | u64::from(octet & 0x7F);
        if octet & 0x80 == 0 {
            return u32::try_from(value).ok().map(|value| (value, at + 1));
        }
    }
    None
}

/// Appends `value` in the shortest form.
pub fn write_mb_u_int32(out: &mut Vec<u8>, value: u32) {
    let groups = (32 - value.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let bits = (value >> (7 * group)) as u8 & 0x7F;
        out.push(if group == 0 { bits } else { bits | 0x80 });
    }
}

/// The value big-endian; its shortest form are the last `n` octets, 1 to 4.
pub fn integer_octets(value: u32) -> ([u8; 4], usize) {
    let length = (32 - value.leading_zeros()).div_ceil(8).max(1);
    (value.to_be_bytes(), length as usize)
}

/// Reads a big-endian integer of at most 8 octets; no octet is 0.
pub fn parse_integer(octets: &[u8]) -> Option<u64> {
    (octets.len() <= 8).then(|| {
        octets
            .iter()
            .fold(0, |sum, octet| sum << 8 | u64::from(*octet))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_reference() {
        for (value, octets) in [
            (0, &[0x00][..]),
            (127, &[0x7F]),
            (128, &[0x81, 0x00]),
            (0xA4, &[0x81, 0x24]),
            (0xC0, &[0x81, 0x40]),
            (16384, &[0x81, 0x80, 0x00]),
            (u32::MAX, &[0x8F, 0xFF, 0xFF, 0xFF, 0x7F]),
        ] {
            let mut out = Vec::new();
            write_mb_u_int32(&mut out, value);
            assert_eq!(out, octets);
            assert_eq!(read_mb_u_int32(octets), Some((value, octets.len())));
        }
        for octets in [
            &[][..],
            &[0x80],
            &[0x90, 0x80, 0x80, 0x80, 0x00],
            &[0x80; 6],
        ] {
            assert_eq!(read_mb_u_int32(octets), None);
        }
        for (value, octets) in [
            (0, &[0][..]),
            (200, &[200]),
            (531, &[2, 0x13]),
            (86400, &[1, 0x51, 0x80]),
            (u32::MAX, &[0xFF; 4]),
        ] {
            let (all, length) = integer_octets(value);
            assert_eq!(&all[4 - length..], octets);
            assert_eq!(parse_integer(octets), Some(u64::from(value)));
        }
        assert_eq!(parse_integer(&[]), Some(0));
        assert_eq!(parse_integer(&[0, 0, 0, 0, 0, 0, 0, 200]), Some(200));
        assert_eq!(parse_integer(&[0; 9]), None);
    }

    proptest! {
        #[test]
        fn every_number_survives(value: u32) {
            let mut out = Vec::new();
            write_mb_u_int32(&mut out, value);
            prop_assert_eq!(read_mb_u_int32(&out), Some((value, out.len())));
        }
    }
}
