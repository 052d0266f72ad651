/** This tool's name and version, for marks and reports. Kept equal to package.json's by a test. */
export const TOOL = 'nx-mooring 0.1.0';

/**
 * The format of what this tool writes on hosts: marks, names of restore points, audit log. It becomes one more where an earlier version would
 * misread it, and what it said before stays readable.
 */
export const FORMAT = 1;
