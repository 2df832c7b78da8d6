//! Decoding and encoding of typical messages: `cargo bench -p hamlet-benches`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hamlet_benches::messages::{VERSION, samples};
use hamlet_csp::{Syntax, WriteOptions, decode, encode};
use std::hint::black_box;

fn codecs(criterion: &mut Criterion) {
    for (name, syntax) in [("xml", Syntax::Xml), ("wbxml", Syntax::Wbxml)] {
        let mut group = criterion.benchmark_group(format!("decode-{name}"));
        for sample in samples() {
            let octets = sample.octets(syntax);
            group.throughput(Throughput::Bytes(octets.len() as u64));
            group.bench_function(BenchmarkId::from_parameter(sample.name), |bencher| {
                bencher.iter(|| decode(black_box(octets), syntax));
            });
        }
        group.finish();
        let mut group = criterion.benchmark_group(format!("encode-{name}"));
        let options = WriteOptions::default();
        for sample in samples() {
            let octets = sample.octets(syntax);
            group.throughput(Throughput::Bytes(octets.len() as u64));
            group.bench_function(BenchmarkId::from_parameter(sample.name), |bencher| {
                bencher.iter(|| encode(black_box(&sample.document), syntax, VERSION, &options));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, codecs);
criterion_main!(benches);
