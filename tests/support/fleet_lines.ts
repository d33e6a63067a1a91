/** A thumbprint. */
export const SHA_1: string = "0123456789ABCDEF0123456789abcdef01234567";
/** The header of a fleet file. */
export const HEADER: string =
  "deviceId,model,site,hall,floor,installed,authentication,primaryThumbprint,secondaryThumbprint,status," +
  "statusReason,iotEdge,parent,intervalInSeconds,firmwareChannel";

/** Lines with what is wrong with them; those without are good. */
export const LINES: [text: string, ...complaints: string[]][] = [
  ["\uFEFF# a comment"],
  [HEADER],
  [""],
  ["good-1,pump,Süd,H,0,2024-02-29,sas,,,,,,,,"],
  ['good-2,pump,Süd,"H 1, ""A""",0,2024-02-29,x509,' + SHA_1 + ',,disabled,"moved, ""lost""",no,gate,60,beta'],
  ["gate,gateway,Süd,H,-1,2024-02-29,ca,,,enabled,,yes,,,"],
  [",pump,Süd,H,0,2024-02-29,sas,,,,,,,,", 'deviceId "" must not be empty'],
  [
    "a b,pump,Süd,H,0,2024-02-29,sas,,,,,,,,",
    `deviceId "a b" must be 1 to 128 of A-Z a-z 0-9 - : . + % _ # * ? ! ( ) , = @ ; $ ', not just dots`,
  ],
  [
    "..,pump,Süd,H,0,2024-02-29,sas,,,,,,,,",
    `deviceId ".." must be 1 to 128 of A-Z a-z 0-9 - : . + % _ # * ? ! ( ) , = @ ; $ ', not just dots`,
  ],
  ["good-1,valve,Süd,H,0,2024-02-29,sas,,,,,,,,", 'deviceId "good-1" is on line 4 already'],
  ["GOOD-1,valve,Süd,H,0,2024-02-29,sas,,,,,,,,"],
  ["d12,pump,Süd,H,0,2024-02-29,token,,,,,,,,", 'authentication "token" must be sas, x509 or ca'],
  ["d13,pump,Süd,H,0,2024-02-29,x509,,,,,,,,", 'primaryThumbprint "" must not be empty for x509'],
  [
    "d14,pump,Süd,H,0,2024-02-29,x509,12:34,xyz,,,,,,",
    'primaryThumbprint "12:34" must be 40 or 64 hexadecimal digits (SHA-1 or SHA-256)',
    'secondaryThumbprint "xyz" must be 40 or 64 hexadecimal digits (SHA-1 or SHA-256)',
  ],
  [
    `d15,pump,Süd,H,0,2024-02-29,ca,${SHA_1},,,,,,,`,
    `primaryThumbprint "${SHA_1}" is for x509, and this device has ca`,
  ],
  ["d16,pump,Süd,H,0,2024-02-29,sas,,,off,,,,,", 'status "off" must be enabled or disabled'],
  ["d17,pump,Süd,H,0,2024-02-29,sas,,,,,maybe,,,", 'iotEdge "maybe" must be yes or no'],
  [
    `d18,pump,Süd,H,0,2024-02-29,sas,,,,${"x".repeat(129)},,,,`,
    `statusReason "${"x".repeat(39)}…" has 129 characters, 128 are allowed`,
  ],
  [
    "d19,,,,0,2024-02-29,sas,,,,,,,,",
    'model "" must not be empty',
    'site "" must not be empty',
    'hall "" must not be empty',
  ],
  [
    "d20,pump,Süd,H,1.5,2023-02-29,sas,,,,,,,,",
    'floor "1.5" must be a whole number',
    'installed "2023-02-29" must be a date such as 2024-05-31',
  ],
  [
    "d21,pump,Süd,H,0,2024-02-29,sas,,,,,,,0,nightly",
    'intervalInSeconds "0" must be a whole number from 1 to 86400',
    'firmwareChannel "nightly" must be stable or beta',
  ],
  ["d22,pump,Süd", '"d22,pump,Süd" has 3 fields instead of 15'],
  [
    'd23,"pump,Süd,H,0,2024-02-29,sas,,,,,,,,',
    `"d23,\\"pump,Süd,H,0,2024-02-29,sas,,,,,,,," has a quote that is not closed on this line`,
  ],
  [
    'd24,pu"mp,Süd,H',
    '"d24,pu\\"mp,Süd,H" has a quote in the middle of a field; put the whole field in quotes and double those inside',
  ],
  ["d25,pump,Süd,H,0,2024-02-29,sas,,,,,,nobody,,", 'parent "nobody" is not in the file'],
  ["d26,pump,Süd,H,0,2024-02-29,sas,,,,,,good-1,,", 'parent "good-1" is not an IoT Edge gateway'],
  ["d27,gateway,Süd,H,0,2024-02-29,sas,,,,,yes,d29,,", 'parent "d29" is behind this device, in a circle'],
  ["d28,pump,Süd,H,0,2024-02-29,sas,,,,,,d27,,", 'parent "d27" is skipped itself, on line 27'],
  ["d29,gateway,Süd,H,0,2024-02-29,sas,,,,,yes,d27,,", 'parent "d27" is behind this device, in a circle'],
  ['"#30",pump,Süd,H,0,2024-02-29,sas,,,,,,gate,,'],
  ["# the end,"],
];

/** The file as text, with the line ends of Windows. */
export function linesText(): string {
  return LINES.map(([text]) => text).join("\r\n");
}

/** What reading it must complain about. */
export function expectedComplaints(): string[] {
  return LINES.flatMap(([, ...complaints], index) => complaints.map((text) => `line ${index + 1}: ${text}`));
}
