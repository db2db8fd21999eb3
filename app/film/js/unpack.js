// Reads what dgm_core.pack wrote: a JSON header and named arrays.

const READERS = { bool: Uint8Array, uint8: Uint8Array, uint16: Uint16Array, int32: Int32Array,
  float32: Float32Array, float64: Float64Array };
let halves = null;

/** All 65,536 half-precision numbers; filled at the first use. */
function halfTable() {
  if (halves) return halves;
  halves = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    if (exponent === 0) halves[bits] = sign * fraction * 2 ** -24;
    else if (exponent === 31) halves[bits] = fraction ? NaN : sign * Infinity;
    else halves[bits] = sign * (1024 + fraction) * 2 ** (exponent - 25);
  }
  return halves;
}

/** Half-precision bits as Float32Array. */
export function decodeHalves(bits) {
  const table = halfTable(), out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]];
  return out;
}

/** Bytes (Uint8Array, at any offset) → { meta, arrays: { name: { data, shape } } }. */
export function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const meta = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const arrays = {};
  let offset = 4 + length;
  for (const part of meta.parts) {
    const block = bytes.slice(offset, offset + part.nbytes).buffer; // a copy: views need aligned offsets
    const data = part.dtype === "float16" ? decodeHalves(new Uint16Array(block)) : new READERS[part.dtype](block);
    arrays[part.name] = { data, shape: part.shape };
    offset += part.nbytes;
  }
  delete meta.parts;
  return { meta, arrays };
}

/** Undo gzip. */
export async function gunzip(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
