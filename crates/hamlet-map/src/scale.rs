//! How much a picture shows, and the bar that says so. Pure.

/// Half of what is shown where no accuracy is known, metres.
const USUAL: f64 = 25_000.0;
/// A closer look shows nothing more.
const CLOSEST: f64 = 40.0;
/// Beyond, the Earth is too round for a picture.
const WIDEST: f64 = 6_000_000.0;

/// Metres from the middle to the nearer edge: the circle of the accuracy takes a third of it.
pub(crate) fn half_of(accuracy: Option<f64>) -> f64 {
    accuracy.map_or(USUAL, |metres| (metres * 3.0).clamp(CLOSEST, WIDEST))
}

/// The longest bar of a round number of metres that takes at most `pixels`, and its number.
pub(crate) fn bar(metres_per_pixel: f64, pixels: f64) -> (f64, String) {
    let most = metres_per_pixel * pixels;
    let power = 10.0_f64.powf(most.max(1.0).log10().floor());
    let steps = [5.0, 2.0, 1.0];
    let step = steps.into_iter().find(|step| step * power <= most);
    let metres = step.unwrap_or(1.0) * power;
    (metres / metres_per_pixel, length(metres))
}

/// A length for people.
pub(crate) fn length(metres: f64) -> String {
    match metres {
        m if m < 1000.0 => format!("{m:.0} m"),
        m if m < 10_000.0 && (m / 1000.0).fract() >= 0.05 => format!("{:.1} km", m / 1000.0),
        m => format!("{:.0} km", m / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_circle_takes_a_third_where_that_can_be() {
        for (accuracy, half) in [
            (Some(50.0), 150.0),
            (Some(2000.0), 6000.0),
            (Some(1.0), CLOSEST),
            (Some(1e9), WIDEST),
            (None, USUAL),
        ] {
            assert_eq!(half_of(accuracy), half, "{accuracy:?}");
        }
    }

    #[test]
    fn bars_are_round_numbers() {
        for (metres_per_pixel, pixels, length, text) in [
            (1.0, 80.0, 50.0, "50 m"),
            (25.0, 80.0, 80.0, "2 km"),
            (208.0, 80.0, 48.0, "10 km"),
            (0.1, 80.0, 50.0, "5 m"),
            (50_000.0, 80.0, 40.0, "2000 km"),
        ] {
            let (bar, label) = bar(metres_per_pixel, pixels);
            assert!((bar - length).abs() < 1.0, "{bar}");
            assert_eq!(label, text);
        }
    }

    #[test]
    fn lengths_for_people() {
        let texts = [7.0, 999.0, 1000.0, 1500.0, 25_400.0].map(length);
        assert_eq!(texts, ["7 m", "999 m", "1 km", "1.5 km", "25 km"]);
    }
}
