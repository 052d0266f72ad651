/** This tool's name and version, for marks and reports. Kept equal to package.json's by a test. */
export const TOOL = 'nx-mooring 0.1.0';
