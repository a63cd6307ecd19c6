/** A region's name, as in `us-gov-west-1`, `cn-north-1`. */
const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d{1,2}$/;
/** How the names of AWS's endpoints end; `api.` are the dual-stack ones. */
const DOMAIN = /\.(?:amazonaws\.com(?:\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$/;

/**
 * The region that an AWS host name says: `s3.eu-west-1.amazonaws.com`, `bucket.s3.dualstack.eu-west-1.amazonaws.com`,
 * `s3-fips.us-gov-west-1.amazonaws.com`, `sts.cn-north-1.amazonaws.com.cn`, `bucket.s3-us-west-2.amazonaws.com`,
 * `lambda.eu-west-1.api.aws`, `name.eu-west-1.es.amazonaws.com`. A name without one (`s3.amazonaws.com`, `iam.amazonaws.com`) is the
 * global endpoint, whose region is us-east-1. Undefined: not a name of AWS, or one that does not tell.
 */
export function regionOf(host: string): string | undefined {
  const domain = DOMAIN.exec(host)?.[0];
  if (domain === undefined) return undefined;
  const labels = host.slice(0, -domain.length).split('.');
  const last = labels.at(-1) ?? '';
  if (REGION.test(last)) return last;
  if (last === 'us-gov') return 'us-gov-west-1';
  const joined = last.replace(/^s3-(?:fips-)?/, '');
  if (joined !== last && REGION.test(joined)) return joined;
  // Left of S3 stands the name of a bucket, which may look like anything.
  const before = labels.at(-2) ?? '';
  if (!/^s3(?:-|$)/.test(last) && REGION.test(before)) return before;
  return domain === '.amazonaws.com' ? 'us-east-1' : undefined;
}
