//! Pictures as octets: PNG and GIF with a palette, which keeps them small, and JPEG.

use crate::draw::Picture;
use std::collections::HashMap;

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// image/png.
    Png,
    /// image/gif.
    Gif,
    /// image/jpeg.
    Jpeg,
}

impl Format {
    /// Best first.
    pub const ALL: [Self; 3] = [Self::Png, Self::Gif, Self::Jpeg];

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Jpeg => "image/jpeg",
        }
    }
}

/// A picture could not be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// As PNG.
    #[error("PNG: {0}")]
    Png(#[from] png::EncodingError),
    /// As GIF.
    #[error("GIF: {0}")]
    Gif(#[from] gif::EncodingError),
    /// As JPEG.
    #[error("JPEG: {0}")]
    Jpeg(#[from] jpeg_encoder::EncodingError),
}

impl Picture {
    /// The picture in a format.
    pub fn encode(&self, format: Format) -> Result<Vec<u8>, EncodeError> {
        let (width, height) = (self.width(), self.height());
        let mut octets = Vec::new();
        match format {
            Format::Png => {
                let (palette, indices) = with_palette(&self.rgb());
                let mut encoder = png::Encoder::new(&mut octets, width.into(), height.into());
                encoder.set_color(png::ColorType::Indexed);
                encoder.set_depth(png::BitDepth::Eight);
                encoder.set_palette(palette);
                encoder.set_compression(png::Compression::High);
                encoder.set_filter(png::Filter::NoFilter);
                let mut writer = encoder.write_header()?;
                writer.write_image_data(&indices)?;
                writer.finish()?;
            }
            Format::Gif => {
                let (palette, indices) = with_palette(&self.rgb());
                let mut encoder = gif::Encoder::new(&mut octets, width, height, &palette)?;
                let frame = gif::Frame::from_indexed_pixels(width, height, indices, None);
                encoder.write_frame(&frame)?;
            }
            Format::Jpeg => {
                let encoder = jpeg_encoder::Encoder::new(&mut octets, 75);
                let color = jpeg_encoder::ColorType::Rgb;
                encoder.encode(&self.rgb(), width, height, color)?;
            }
        }
        Ok(octets)
    }
}

/// At most 256 colours: as fine as that many allow.
fn with_palette(rgb: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (3..8)
        .find_map(|dropped| indexed(rgb, dropped))
        // Of one bit a channel there are eight.
        .unwrap_or_default()
}

fn indexed(rgb: &[u8], dropped: u32) -> Option<(Vec<u8>, Vec<u8>)> {
    let most = 255_u32 >> dropped;
    let coarse = |value: u8| (u32::from(value) * most + 127) / 255;
    let mut known: HashMap<[u32; 3], u8> = HashMap::new();
    let mut palette = Vec::new();
    let mut indices = Vec::with_capacity(rgb.len() / 3);
    let (pixels, _) = rgb.as_chunks::<3>();
    for pixel in pixels {
        let color = pixel.map(coarse);
        let index = match known.get(&color) {
            Some(index) => *index,
            None => {
                let index = u8::try_from(known.len()).ok()?;
                known.insert(color, index);
                palette.extend(color.map(|value| (value * 255 / most) as u8));
                index
            }
        };
        indices.push(index);
    }
    Some((palette, indices))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_colours_become_few() {
        let few: Vec<u8> = (0..600).map(|i| (i % 3 * 100) as u8).collect();
        let (palette, indices) = with_palette(&few);
        assert_eq!((palette.len(), indices.len()), (3, 200));
        let many: Vec<u8> = (0..300_000_u32)
            .flat_map(|i| (i * 7919).to_le_bytes())
            .collect();
        let (palette, indices) = with_palette(&many[..900_000]);
        assert!(
            palette.len() <= 768 && indices.len() == 300_000,
            "{}",
            palette.len()
        );
    }
}
