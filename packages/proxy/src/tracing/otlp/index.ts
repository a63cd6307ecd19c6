export { otlpEndpoint } from './endpoint.ts';
export { OtlpExporter } from './exporter.ts';
export { readHeaders } from './headers.ts';
export { Collector } from './post.ts';
