/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of a Consent, made by another implementation of RFC 7515, with
 * keys of nobody. */
#ifndef TESTS_SUPPORT_SIGNATURE_SAMPLES_H
#define TESTS_SUPPORT_SIGNATURE_SAMPLES_H

/* What was signed, in the order in which it was written. */
#define SIGNED_CONSENT                                                         \
    "{\"resourceType\": \"Consent\", \"id\": \"c-1\", \"meta"                  \
    "\": {\"versionId\": \"7\"}, \"text\": {\"status\": \"gen"                 \
    "erated\", \"div\": \"<div xmlns=\\\"http://www.w3.org/19"                 \
    "99/xhtml\\\">Zustimmung für alles\\n</div>\"}, \"status"                 \
    "\": \"active\", \"scope\": {\"coding\": [{\"system\": \""                 \
    "http://terminology.hl7.org/CodeSystem/consentscope\", \""                 \
    "code\": \"patient-privacy\"}]}, \"category\": [{\"coding"                 \
    "\": [{\"system\": \"http://loinc.org\", \"code\": \"5928"                 \
    "4-0\"}]}], \"patient\": {\"reference\": \"Patient/p-1\"}"                 \
    ", \"dateTime\": \"2025-03-01\", \"performer\": [{\"refer"                 \
    "ence\": \"Patient/p-1\"}], \"sourceAttachment\": {\"titl"                 \
    "e\": \"x\"}, \"policy\": [{\"uri\": \"urn:x:y\"}], \"pro"                 \
    "vision\": {\"type\": \"permit\", \"purpose\": [{\"system"                 \
    "\": \"http://terminology.hl7.org/CodeSystem/v3-ActReason"                 \
    "\", \"code\": \"TREAT\"}]}}"

#define PEM_RSA                                                                \
    "-----BEGIN PUBLIC KEY-----\n"                                             \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA6p9GUHh/AklTvPSIna4J\n"       \
    "tJv6yoveU8l41UworIY43XvGIk8Of75Ax4HLzDRVFcdrv028DIafu8hfqd/JYu36\n"       \
    "MwWuIDYne/zf7njpiIUluH+wIXYEVynDjZ7UX9YzPLmEYDXsXt9LCRSd5jVQBQBg\n"       \
    "+R/lT0abP1RnVg+wEMkx394I/Whid2UtUtidjBTLaAlndIQ076eOWxL5i81JNifE\n"       \
    "L9v6Bekh4zTg3+p8eZhTevhmW3YySsIRxAUWhz0eZCf774lNnYEtpZiueeaT2WAN\n"       \
    "OeT1P5QE2Dkv81R7ptv0qtsUOb+Qbx0QCeYvIA/8btUefS/RrW4IHk15uWBJj/WA\n"       \
    "lQIDAQAB\n"                                                               \
    "-----END PUBLIC KEY-----\n"

#define PEM_P256                                                               \
    "-----BEGIN PUBLIC KEY-----\n"                                             \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3U8ACwT2+24uQaHx7rijR3qglvfO\n"       \
    "4UnzFgyQpGqqxBjqqqxJXusDRnyTrwoTO65pkB/nLX+3yJKH6jGt9JjH6w==\n"           \
    "-----END PUBLIC KEY-----\n"

#define PEM_P384                                                               \
    "-----BEGIN PUBLIC KEY-----\n"                                             \
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEiuo4P9UkC9ho7aOdC10LEkf28nIk69QN\n"       \
    "3l071KRxTWqDj9CN48hM2ck8pzJzH/SU3yyzRNtLnhBgO/c1pK2yNpWSx6+4HPRH\n"       \
    "AU5ziyGsG7yj7wyw9/edFvwMIamK+oiy\n"                                       \
    "-----END PUBLIC KEY-----\n"

#define PEM_ED25519                                                            \
    "-----BEGIN PUBLIC KEY-----\n"                                             \
    "MCowBQYDK2VwAyEAi5TEwEI4odBjz8aAops9ReuXGGdOiVU7P+gxSZHdPsQ=\n"           \
    "-----END PUBLIC KEY-----\n"

#define PEM_RSA_SMALL                                                          \
    "-----BEGIN PUBLIC KEY-----\n"                                             \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC/z/j3hzkF1YodsFz2XWtdJyN8\n"       \
    "K9QtVIyWfTCTJL/+Sg3V6tGtLC7vW5X9qh4GAAXS8xB6lBTMTkKZRVytZ8Idatkr\n"       \
    "1hZJEUlTkekNceBzyp+h+9pQln9uF0AFNWuQOofyi4ADRuE5ikr5t0FBOh51LiWB\n"       \
    "Nw35RDXoc1lodW83RQIDAQAB\n"                                               \
    "-----END PUBLIC KEY-----\n"

#define PEM_CERTIFICATE                                                        \
    "-----BEGIN CERTIFICATE-----\n"                                            \
    "MIIBIjCByaADAgECAgERMAoGCCqGSM49BAMCMBsxGTAXBgNVBAMMEFN5bnRoZXRp\n"       \
    "YyBTaWduZXIwHhcNMjUwMTAxMDAwMDAwWhcNMjUxMjMxMDAwMDAwWjAbMRkwFwYD\n"       \
    "VQQDDBBTeW50aGV0aWMgU2lnbmVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"       \
    "3U8ACwT2+24uQaHx7rijR3qglvfO4UnzFgyQpGqqxBjqqqxJXusDRnyTrwoTO65p\n"       \
    "kB/nLX+3yJKH6jGt9JjH6zAKBggqhkjOPQQDAgNIADBFAiA0c+u0gXjrxDVbHHSS\n"       \
    "bZFi8YHviubtuRTqU57B0FrYVwIhAPQJWboI0mvsQULPTqugO8n8I42/BSUR3ZE2\n"       \
    "qwMP0zZW\n"                                                               \
    "-----END CERTIFICATE-----\n"

#define JWS_RS256                                                              \
    "ZXlKaGJHY2lPaUFpVWxNeU5UWWlMQ0FpYTJsa0lqb2dJbXNpZlEuLkhiMWFr"             \
    "QXVzZlhBcm9iNDM4Q0hzZGRZcDZHbkEyQ25sU2p1bFJMV204Z2szQnlzenZU"             \
    "dGIwaDUtS1YtbnQtdmRGdlo1THNNVHlSeV8tNU94UjV0cHJSbmkxQ3ZkODRx"             \
    "X3BzaU80aFB6clJsTlY5dmRzeENCWnpnXzAxdzJ5cGJ1WXBRZnZKRkJINEU3"             \
    "emE3Y0lFRmMzVDROTmpqd1dUVXJQbENPTDJkUWRqY3lHbVVDREVqRmVvRnVH"             \
    "ekVLcjdTZzV5cklfWmVhcEQ3dWtSQ0Y2V2JSNkcyWVU3Ul9hR09UWE85b2Rs"             \
    "SXRVeEpTUmpFV1JtOTktSThjUjg3QlgzRjRCcDdiTTQxLWZINHllbEY3V3Zw"             \
    "M3gxQ1lhZ0NOTUNkWnpsZVVkQkpPM3NaNTYtUUJDR0tHdE1PNG84QmEtUU1T"             \
    "QmRkcmdUODBXOF9CNXU2NVR6cEh4dw=="

#define JWS_RS384                                                              \
    "ZXlKaGJHY2lPaUFpVWxNek9EUWlMQ0FpYTJsa0lqb2dJbXNpZlEuLkRFZ0VT"             \
    "OERKcTgxREwySXZVMW8wQXRaX3AzV09lcVNSd05nUHdwQkFYZkZ4TmFlcFk0"             \
    "SzhaRnNvTmRBRkJNdk1JWXZoaDV3OHpaWTRrYzJLVkJCZkhsZFVUcTM1OUNv"             \
    "YmZZejBkenkya3Yzc0xseGhtcm8xSTRIVHJtNGlqZEYzeTBJeGRnQllHQjNH"             \
    "UkhtRTZvZVk2TUpyNDctaVRXVE5vcTJDQUd0M3dtMzhncjVuUU9udXFZcWVU"             \
    "X2pydk1sUjZPbl9NZXdPdklKMU45ekU5c1Bld2dXZWFaRXZlYkV3TmdNSWZL"             \
    "N2RMbVBVWEQ2MnpibmtZck5FLV9UOTdSRTIteDc1THhxQ1cxdHZ5eGlBY3Nk"             \
    "QUlzbmdGQTl5Wjk4Mm1ZUUt1enFDQ29lUGRtZzlMM1M2TldlMU5CX3JJS0tJ"             \
    "Q2RSUS1hSzlYZnBETGNtMDBWX3ZhUQ=="

#define JWS_RS512                                                              \
    "ZXlKaGJHY2lPaUFpVWxNMU1USWlMQ0FpYTJsa0lqb2dJbXNpZlEuLmI3SXhw"             \
    "NjVSVGJ2eWo4SVRKcVF1WkJqd0NSejVfdzFSRi1oMFBxaHNXWWY2ZS1pNnRy"             \
    "UXB5Zl9sV1FnSUJNWkxIMFo1bi1rZWpvZmtKNGJoWlJqelZRSFpzdFJGUFdt"             \
    "MmdqNnhGZFVYbDE2bUNWWkJqN1F2MGpaR25nR1pzTFNIbnR6aGN2ZFcyb2J3"             \
    "T2ttZXZSOW5oY3QzRFpKMmpmM2JmNlhUNzM5SkpKbEVUN1hTVVNVQTlkUFp3"             \
    "eTd5cGJKOGdRTkJuQ3NiX2g2UFk5d2RtM1IyVW95c0RhT2VVUFZoOG5UYVln"             \
    "S3hlSmFXQVBNZXlXV0hYT3FIc3E2VVNwUlRqZWJmNTBfNHlYc3JiVUFhVmZ2"             \
    "R1hiOWlxei1zbjJhdjRHTlNWcF9fNXQ2QXlfb2x0UVV2RDhUdjFBMFJFV0Zl"             \
    "QldUcm9tM1pGYkZtaV9oM3ZLUzBHUQ=="

#define JWS_PS256                                                              \
    "ZXlKaGJHY2lPaUFpVUZNeU5UWWlMQ0FpYTJsa0lqb2dJbXNpZlEuLm1ENUxj"             \
    "UXZDTzl6NEFJRUt3S1JZQnl3MjNiNFZMT3AySEhwaHhQanI2aVkzaXNxdmdf"             \
    "U19nbDVEalFOc0lKam9sMnkxbVVRZW8yOGNTVE1kWWE3UFE4bXEzYkltTkVi"             \
    "d1pSeGhSRVFZcEtFU1lRc2x1ZGs0M190dExSN3hSejZfWUZBMzlud3RRS0Nh"             \
    "ZTItOWc2eG5md0VaOWJrc0hUYzd2Qmo2WE5HMzBDUFV1bFdKVmZCWm04SGot"             \
    "a1pEdkxPNkphQlotdjZ6TGIxVUNfNkRzZVdqMDVmaV9IWTdtWFE5Y1pOYUUw"             \
    "Y1l3bmlfR1VaRHRzYVZZRm1ZUTJSdnp6X3pEcVN3cnpIRG9QWHItalM0WWNx"             \
    "LV9mbkhlMnB2aTlMOWh5b1BZcWFPaDR6cEtXMkZnQldycFF6dE1OdW9Yd3lP"             \
    "enN4YnYtTWMtOEJHYXkydm5xSTBuQQ=="

#define JWS_PS384                                                              \
    "ZXlKaGJHY2lPaUFpVUZNek9EUWlMQ0FpYTJsa0lqb2dJbXNpZlEuLmc1ajJj"             \
    "OU1kQVZoOGotWW1HU0xpZ0lyWXZKMXBCN2NrbDVsQ0xCRjdyNnpqejg2TE01"             \
    "bGt3VXh0bk9RZXpRQWw4OHdHaTN0aTJYT3d0Y0dxQkdBQ0U0OWpsTGFsajFP"             \
    "VmRhXzh5cnNCOTNWWVF2NzllS00ycUdNUkdzQ3ptYl9MTUlScWVTeHRWLVJy"             \
    "UkI2c2ZaTkhlbHNjUmpFendRaEVXN3Nua0F4anZfT21sc3V2aVRvSDlHM05G"             \
    "Q1RGS3FDeUxKeXdlVUJ0Uk1WMHZLYVVDX1k4SDZzbkl0cThfM1dwV09tODFH"             \
    "ZkNEc29aclYyaHo4SzhjWXVvM1o4SXA3b2pOTG1qR3Vmemg5T3M3X1RBQlp6"             \
    "SDl2eGg0RzNZSXVHMXJnY2s2WE41d0xPTnhweWg1a05QUkkyc2IwRDF5a055"             \
    "OXZkZzB4VnRVV3NzTDJGQmprQmVTZw=="

#define JWS_PS512                                                              \
    "ZXlKaGJHY2lPaUFpVUZNMU1USWlMQ0FpYTJsa0lqb2dJbXNpZlEuLnBDN0ZD"             \
    "Y09lZWVsZmV0ZlI2SUxOaXRBWTZzWWZ2U3RRNUhrYThWdnZfUTBkcnBRTUta"             \
    "ajRBUEtTWElxTXFQTzdDZ2MzVnNubTNnMnZhZzJmQXVMaHh6WmtOcU9rd1F6"             \
    "X3l2SHAya25IU2sxNzgzUWlMX0pPN0VQZnJFSjJSVjVHRU1nOFljcVYxcmVG"             \
    "ZDZRWThmQnduNFh1cHNRQ2t3QWNuVC0wOXY1dUt1V3JNX2QwMlpSOFVxMEc5"             \
    "ZVRWU01tUnpUTmRSeVItOTBuODFoMjRYTkJMcVYyN3I4UjJlTHZtck8tM2VT"             \
    "ZVVfT2hzY25WNzczeUpkSHJuRV9BSzRtODhNamNxVG1KNnFIUnlfUUp1ZE9t"             \
    "VzVYT0JOMmtQTElpd3lwOFRpRHFjNmlHMVp5akFzZmxkQW1RYncwbTV6eXBr"             \
    "TnJtS0lGdDNLZDJiYkhwNXNldFhMdw=="

#define JWS_ES256                                                              \
    "ZXlKaGJHY2lPaUFpUlZNeU5UWWlMQ0FpYTJsa0lqb2dJbXNpZlEuLkw0Z2hX"             \
    "TlR2RERoSmJuTlJvdzYwRnNIandPMEpxOTdWN1llRzFfTEtOUVdJR2RhbFFG"             \
    "OFNOY09VNTNWdXVRMml6ZGdFWGUtd1FHTzhpX1hkbXhoSndB"

#define JWS_ES384                                                              \
    "ZXlKaGJHY2lPaUFpUlZNek9EUWlMQ0FpYTJsa0lqb2dJbXNpZlEuLmxNNGZZ"             \
    "MHk5SXJoa3ZpakxqUjNuWlFKSE9UQmRmbWRSNnpsd0I5WXBPZ1ZfaHRGZUlO"             \
    "QjdEVXU4c1NGQ0g2M0c4VkwtSDliNjQ4QjBaQjF4bDlBUHdyZ181QXFwMDFZ"             \
    "QlBxZENTQk9Pd2VFZ2tzcmlYdW95eFZWOS1uTG1aSXFs"

#define JWS_EdDSA                                                              \
    "ZXlKaGJHY2lPaUFpUldSRVUwRWlMQ0FpYTJsa0lqb2dJbXNpZlEuLkE1OTlU"             \
    "SDNMWGhCMWJnV1RlRzBsUzgzR2ZTdHhtSS1zTjNFSTBxaFV4cXMxLTg3bHRY"             \
    "dHo2RkpGS09XUU9OZ1RPdVZwUWJMeDhSQVZacE9nYzZGc0NB"

#define JWS_ATTACHED                                                           \
    "ZXlKaGJHY2lPaUFpUlZNeU5UWWlMQ0FpYTJsa0lqb2dJbXNpZlEuZXlKallY"             \
    "UmxaMjl5ZVNJNlczc2lZMjlrYVc1bklqcGJleUpqYjJSbElqb2lOVGt5T0RR"             \
    "dE1DSXNJbk41YzNSbGJTSTZJbWgwZEhBNkx5OXNiMmx1WXk1dmNtY2lmVjE5"             \
    "WFN3aVpHRjBaVlJwYldVaU9pSXlNREkxTFRBekxUQXhJaXdpYVdRaU9pSmpM"             \
    "VEVpTENKdFpYUmhJanA3SW5abGNuTnBiMjVKWkNJNklqY2lmU3dpY0dGMGFX"             \
    "VnVkQ0k2ZXlKeVpXWmxjbVZ1WTJVaU9pSlFZWFJwWlc1MEwzQXRNU0o5TENK"             \
    "d1pYSm1iM0p0WlhJaU9sdDdJbkpsWm1WeVpXNWpaU0k2SWxCaGRHbGxiblF2"             \
    "Y0MweEluMWRMQ0p3YjJ4cFkza2lPbHQ3SW5WeWFTSTZJblZ5YmpwNE9ua2lm"             \
    "VjBzSW5CeWIzWnBjMmx2YmlJNmV5SndkWEp3YjNObElqcGJleUpqYjJSbElq"             \
    "b2lWRkpGUVZRaUxDSnplWE4wWlcwaU9pSm9kSFJ3T2k4dmRHVnliV2x1YjJ4"             \
    "dloza3VhR3czTG05eVp5OURiMlJsVTNsemRHVnRMM1l6TFVGamRGSmxZWE52"             \
    "YmlKOVhTd2lkSGx3WlNJNkluQmxjbTFwZENKOUxDSnlaWE52ZFhKalpWUjVj"             \
    "R1VpT2lKRGIyNXpaVzUwSWl3aWMyTnZjR1VpT25zaVkyOWthVzVuSWpwYmV5"             \
    "SmpiMlJsSWpvaWNHRjBhV1Z1ZEMxd2NtbDJZV041SWl3aWMzbHpkR1Z0SWpv"             \
    "aWFIUjBjRG92TDNSbGNtMXBibTlzYjJkNUxtaHNOeTV2Y21jdlEyOWtaVk41"             \
    "YzNSbGJTOWpiMjV6Wlc1MGMyTnZjR1VpZlYxOUxDSnpiM1Z5WTJWQmRIUmhZ"             \
    "Mmh0Wlc1MElqcDdJblJwZEd4bElqb2llQ0o5TENKemRHRjBkWE1pT2lKaFkz"             \
    "UnBkbVVpTENKMFpYaDBJanA3SW1ScGRpSTZJanhrYVhZZ2VHMXNibk05WENK"             \
    "b2RIUndPaTh2ZDNkM0xuY3pMbTl5Wnk4eE9UazVMM2hvZEcxc1hDSS1XblZ6"             \
    "ZEdsdGJYVnVaeUJtdzd4eUlHRnNiR1Z6WEc0OEwyUnBkajRpTENKemRHRjBk"             \
    "WE1pT2lKblpXNWxjbUYwWldRaWZYMC5OVXlYNDN0UUo2ZXdmZTFzWnBFNE9V"             \
    "REl3VGF0eGlNaEkwYjdKSEpGWjYwSDRKZC1uQlVFazI4b1ZhZ2VJdnNWMzZG"             \
    "VlNYVUw1VzdRakRWenpvOTFsUQ=="

#define JWS_PLAIN                                                              \
    "ZXlKaGJHY2lPaUFpUlZNeU5UWWlMQ0FpYTJsa0lqb2dJbXNpTENBaVlqWTBJ"             \
    "am9nWm1Gc2MyVXNJQ0pqY21sMElqb2dXeUppTmpRaVhYMC4uUE8xVVJDUkxk"             \
    "Nzd5bmROSk51TUZadHFuY0g4b3A1bVVtaFRPLTgtXzVpOGFjSlZNRm1yMnhr"             \
    "dXQ1QWsxNGl1NmR5NC0tZjJob1IzZDlIZFRDeGZaR0E="

#define JWS_DATA                                                               \
    "ZXlKaGJHY2lPaUFpUldSRVUwRWlMQ0FpYTJsa0lqb2dJbXNpZlEuLnVkTk9n"             \
    "U0VBazI4aHE3OHVqZ3NUQ1AySU5pWVJiM19RLWNmS0lPUDBvLXhWV3h4b1d4"             \
    "RXVVY2FkNnRaaEJJUU9CUE1PbDQ0QlEtbmJ3YXlCU0tWQUJn"

#define JWS_STATIC                                                             \
    "ZXlKaGJHY2lPaUFpUldSRVUwRWlMQ0FpYTJsa0lqb2dJbXNpZlEuLjRTZnhw"             \
    "U1l4dnpEZy1HVzhRNWdqcFRRY3RrczBZeURjaGxKblhvRF9raWQ5NTBEd2Nf"             \
    "VFR6SnQ4TXg2ZDRfZlRZek1aQlNDUThndnZnSkhJVWE3UENB"

#define JWS_OTHER_CONTENT                                                      \
    "ZXlKaGJHY2lPaUFpUlZNeU5UWWlMQ0FpYTJsa0lqb2dJbXNpZlEuLjQ4TkZU"             \
    "eGtkR2tmYVJiZkV0WHo3eXF1VThYSHI2WmxFRkowLVZRdW9uY0dDdXV2VHNV"             \
    "Nnc3QS1FU3dGSGhka2VjenFiZmNwak5mRDh1cXo2cHVWQXFR"

#define JWS_OTHER_ATTACHED                                                     \
    "ZXlKaGJHY2lPaUFpUlZNeU5UWWlMQ0FpYTJsa0lqb2dJbXNpZlEuZXlKallY"             \
    "UmxaMjl5ZVNJNlczc2lZMjlrYVc1bklqcGJleUpqYjJSbElqb2lOVGt5T0RR"             \
    "dE1DSXNJbk41YzNSbGJTSTZJbWgwZEhBNkx5OXNiMmx1WXk1dmNtY2lmVjE5"             \
    "WFN3aVpHRjBaVlJwYldVaU9pSXlNREkxTFRBekxUQXhJaXdpYVdRaU9pSmpM"             \
    "VEVpTENKdFpYUmhJanA3SW5abGNuTnBiMjVKWkNJNklqY2lmU3dpY0dGMGFX"             \
    "VnVkQ0k2ZXlKeVpXWmxjbVZ1WTJVaU9pSlFZWFJwWlc1MEwzQXRNU0o5TENK"             \
    "d1pYSm1iM0p0WlhJaU9sdDdJbkpsWm1WeVpXNWpaU0k2SWxCaGRHbGxiblF2"             \
    "Y0MweEluMWRMQ0p3YjJ4cFkza2lPbHQ3SW5WeWFTSTZJblZ5YmpwNE9ua2lm"             \
    "VjBzSW5CeWIzWnBjMmx2YmlJNmV5SndkWEp3YjNObElqcGJleUpqYjJSbElq"             \
    "b2lWRkpGUVZRaUxDSnplWE4wWlcwaU9pSm9kSFJ3T2k4dmRHVnliV2x1YjJ4"             \
    "dloza3VhR3czTG05eVp5OURiMlJsVTNsemRHVnRMM1l6TFVGamRGSmxZWE52"             \
    "YmlKOVhTd2lkSGx3WlNJNkluQmxjbTFwZENKOUxDSnlaWE52ZFhKalpWUjVj"             \
    "R1VpT2lKRGIyNXpaVzUwSWl3aWMyTnZjR1VpT25zaVkyOWthVzVuSWpwYmV5"             \
    "SmpiMlJsSWpvaWNHRjBhV1Z1ZEMxd2NtbDJZV041SWl3aWMzbHpkR1Z0SWpv"             \
    "aWFIUjBjRG92TDNSbGNtMXBibTlzYjJkNUxtaHNOeTV2Y21jdlEyOWtaVk41"             \
    "YzNSbGJTOWpiMjV6Wlc1MGMyTnZjR1VpZlYxOUxDSnpiM1Z5WTJWQmRIUmhZ"             \
    "Mmh0Wlc1MElqcDdJblJwZEd4bElqb2llQ0o5TENKemRHRjBkWE1pT2lKcGJt"             \
    "RmpkR2wyWlNJc0luUmxlSFFpT25zaVpHbDJJam9pUEdScGRpQjRiV3h1Y3ox"             \
    "Y0ltaDBkSEE2THk5M2QzY3Vkek11YjNKbkx6RTVPVGt2ZUdoMGJXeGNJajVh"             \
    "ZFhOMGFXMXRkVzVuSUdiRHZISWdZV3hzWlhOY2Jqd3ZaR2wyUGlJc0luTjBZ"             \
    "WFIxY3lJNkltZGxibVZ5WVhSbFpDSjlmUS5KRGZBUnZORGg5bGtPaDhMbU1W"             \
    "clFGY2F3dmhoY2lnNnYyNE5TU1lEcjNGR3Q5LVZtSnZUYlRzRTdUTmFoM19D"             \
    "UTN4dVlsS3UzS1B6aU96YjZKRU1iUQ=="

#define JWS_OTHER_KEY                                                          \
    "ZXlKaGJHY2lPaUFpUlZNeU5UWWlMQ0FpYTJsa0lqb2dJbXNpZlEuLjR1aW1U"             \
    "RHJabmV5ZEN4NkRRQ01WcEl2dGpOMlpvY0poNGlhekV1aWtCUkFLdDlxVGh1"             \
    "c2VLeFhmblhuNVRXVXI4SF96cVRnQXc5QV85cUdUZ3ZaMmRn"

#define JWS_NONE "ZXlKaGJHY2lPaUp1YjI1bEluMC4uZUE="

#define JWS_HMAC                                                               \
    "ZXlKaGJHY2lPaUpJVXpJMU5pSjkuLjAxb3ROMm04ODNkZ0V0dXhiZlNXdm1H"             \
    "MTVjckNqc2MwbjNjemtzMl9wVjA="

#define JWS_CRITICAL                                                           \
    "ZXlKaGJHY2lPaUFpUlZNeU5UWWlMQ0FpYTJsa0lqb2dJbXNpTENBaVkzSnBk"             \
    "Q0k2SUZzaVpYaHdJbDBzSUNKbGVIQWlPaUF4ZlEuLno3Q1JTUmZVNGE2Y3Ex"             \
    "cGRvcmpNdWtNVVpyM0RrSXpTNDFzb0dTcE45V19TQmFuOENhN1NNOGZGQlR1"             \
    "ZVdQUmF5QTlhMTRNeF9zRFFYMFZWM2MtVXBB"

#define JWS_PLAIN_UNTOLD                                                       \
    "ZXlKaGJHY2lPaUpGVXpJMU5pSXNJbUkyTkNJNlptRnNjMlY5Li5lSGg0ZUho"             \
    "NGVIaDRlSGg0ZUhoNGVIaDRlSGg0ZUhoNGVIaDRlSGg0ZUhoNGVIaDRlSGg0"             \
    "ZUhoNGVIaDRlSGg0ZUhoNGVIaDRlSGg0ZUhoNGVIaDRlQQ=="

#endif /* TESTS_SUPPORT_SIGNATURE_SAMPLES_H */
