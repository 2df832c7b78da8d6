//! Text on pictures, in the bitmap letters of Latin-1.

use embedded_graphics::Drawable;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::iso_8859_1::{FONT_5X8, FONT_6X10};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::text::{Baseline, Text};
use std::convert::Infallible;
use tiny_skia::{Color, Pixmap};

/// A size of letters.
#[derive(Clone, Copy)]
pub(crate) struct Letters(&'static MonoFont<'static>);

impl Letters {
    /// Those for a picture of this width.
    pub(crate) fn for_width(width: u32) -> Self {
        match width {
            0..200 => Self(&FONT_5X8),
            _ => Self(&FONT_6X10),
        }
    }

    /// Pixels that a text takes.
    pub(crate) fn size(self, text: &str) -> (f32, f32) {
        let letter = self.0.character_size;
        let count = text.chars().count() as u32;
        ((count * letter.width) as f32, letter.height as f32)
    }

    /// Writes with the upper left corner at `at`; what is outside the picture is lost.
    pub(crate) fn write(self, picture: &mut Pixmap, at: (i32, i32), text: &str, color: Color) {
        let style = MonoTextStyle::new(self.0, BinaryColor::On);
        let text = Text::with_baseline(text, Point::new(at.0, at.1), style, Baseline::Top);
        let result: Result<_, Infallible> = text.draw(&mut Target { picture, color });
        result.map_or_else(|never| match never {}, drop);
    }
}

struct Target<'a> {
    picture: &'a mut Pixmap,
    color: Color,
}

impl OriginDimensions for Target<'_> {
    fn size(&self) -> Size {
        Size::new(self.picture.width(), self.picture.height())
    }
}

impl DrawTarget for Target<'_> {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Self::Error>
    where
        I: IntoIterator<Item = embedded_graphics::Pixel<BinaryColor>>,
    {
        let (width, height) = (self.picture.width(), self.picture.height());
        let color = self.color.premultiply().to_color_u8();
        for embedded_graphics::Pixel(point, _) in pixels {
            let (Ok(x), Ok(y)) = (u32::try_from(point.x), u32::try_from(point.y)) else {
                continue;
            };
            if x < width && y < height {
                self.picture.pixels_mut()[(y * width + x) as usize] = color;
            }
        }
        Ok(())
    }
}
