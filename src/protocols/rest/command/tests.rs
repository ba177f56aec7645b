//! Tests of the commands, by table.
