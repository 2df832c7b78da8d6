//! Writes random values of every element, for tests.

use crate::emit::{field_name, has_struct, type_name};
use crate::model::{Element, Kind, Model, Particle};
use crate::tokens::ident;
use std::fmt::Write;

pub fn samples(model: &Model) -> String {
    let mut out = String::new();
    for element in model
        .elements
        .values()
        .filter(|element| has_struct(element))
    {
        let name = type_name(element);
        writeln!(out, "impl Sample for {name} {{\n    #[allow(clippy::field_reassign_with_default)]\n    fn sample(dice: &mut Dice, version: Version) -> Self {{\n        let mut element = Self::default();\n        match version {{").unwrap();
        for (version, particles) in element.models.iter().enumerate() {
            writeln!(out, "            Version::V1_{} => {{", version + 1).unwrap();
            let particles: Vec<&Particle> = particles.iter().flatten().collect();
            let mut chosen: Vec<usize> = Vec::new();
            for particle in &particles {
                if let Some(choice) = particle.choice.filter(|choice| !chosen.contains(choice)) {
                    let size = particles
                        .iter()
                        .filter(|p| p.choice == Some(choice))
                        .count();
                    writeln!(
                        out,
                        "                let choice{choice} = dice.below({size});"
                    )
                    .unwrap();
                    chosen.push(choice);
                }
            }
            for particle in &particles {
                let target = model.target(particle);
                let field = field_name(&particle.child);
                let many = element
                    .fields()
                    .iter()
                    .any(|f| f.child == particle.child && f.many);
                let value = match (&target.kind, target.flag("type=")) {
                    (_, Some(_)) => format!("{}::sample(dice, version)", type_name(target)),
                    (Kind::String | Kind::Token, _) => "dice.string()".into(),
                    (Kind::Text, _) => "dice.text()".into(),
                    (Kind::List, _) => "dice.string()".into(),
                    (Kind::Octets, _) => "dice.octets()".into(),
                    (Kind::Number, _) => "dice.number()".into(),
                    (Kind::Boolean, _) => "dice.flip()".into(),
                    (Kind::Empty, _) => "true".into(),
                    (Kind::Int, _) => "dice.integer()".into(),
                    (Kind::DateTime, _) => "dice.date_time()".into(),
                    (Kind::Content, _) => "dice.content()".into(),
                    (Kind::Any, _) => "Extension::sample(dice, version)".into(),
                    (Kind::Enum(_), _) => format!("dice.pick({}::ALL)", type_name(target)),
                    (Kind::Complex, _) => format!("{}::sample(dice, version)", type_name(target)),
                };
                let condition = match particle.choice {
                    Some(choice) => {
                        let at = particles
                            .iter()
                            .filter(|p| p.choice == Some(choice))
                            .position(|p| p.child == particle.child)
                            .unwrap();
                        format!("choice{choice} == {at}")
                    }
                    None if particle.required => "true".into(),
                    None => "dice.flip()".into(),
                };
                let assign = if !many && target.kind == Kind::Empty {
                    format!("element.{field} = true;")
                } else if many && particle.many {
                    format!(
                        "for _ in 0..=dice.below(2) {{ let value = {value}; element.{field}.push(value); }}"
                    )
                } else if many {
                    format!("let value = {value}; element.{field}.push(value);")
                } else {
                    format!("element.{field} = Some({value});")
                };
                writeln!(out, "                if {condition} {{ {assign} }}").unwrap();
            }
            writeln!(out, "            }}").unwrap();
        }
        writeln!(out, "        }}\n        element\n    }}\n}}\n").unwrap();
    }
    let primitives: Vec<&Element> = model
        .order
        .iter()
        .map(|name| &model.elements[name])
        .filter(|e| e.is_primitive())
        .collect();
    writeln!(out, "/// One random message of every primitive of `version`.\npub(crate) fn primitives(dice: &mut Dice, version: Version) -> Vec<Primitive> {{\n    let mut all = Vec::new();").unwrap();
    for element in primitives {
        let value = match element.kind {
            Kind::Empty => format!("Primitive::{}", ident(&element.name)),
            Kind::Any => format!(
                "Primitive::{}(Box::new(Extension::sample(dice, version)))",
                ident(&element.name)
            ),
            _ => format!("{}::sample(dice, version).into()", type_name(element)),
        };
        writeln!(
            out,
            "    if {} & version.bit() != 0 {{ let value = {value}; all.push(value); }}",
            element.versions
        )
        .unwrap();
    }
    writeln!(out, "    all\n}}").unwrap();
    out
}
