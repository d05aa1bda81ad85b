//! Pictures held to what people and programs need of them: looks by snapshot, room by measure, grammars by property.

mod arbitrary;
mod composed;
mod fixtures;
mod grammars;
mod measured;
mod read;
mod shapes;
