#!/usr/bin/env python3
"""Turn three public lists of facts into rows of the library catalogue.

    python3 convert.py FACTS_FOLDER

reads    FACTS_FOLDER/{packers.json,libchecker-rules.db,exodus-trackers.json}
         and curated.csv beside this script
writes   packers.csv, libchecker.csv and exodus.csv beside this script
prints   to stderr, what was dropped and why
returns  1 when the catalogue (all four files) breaks a rule of README.md

Only facts are carried over: a name, a vendor, a category, a package prefix, a component, a file name,
a domain. No description is. The same input gives the same bytes.

What curated.csv already holds is left out, and so is what an earlier list holds (packers, then
libchecker, then exodus). What remains of a library that shares a fact with exactly one known row is
written under that row's name, vendor and category: rows with one name and vendor are one library.
"""
import csv
import json
import re
import sqlite3
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = "name,vendor,category,classes,components,natives,domains,assets,source".split(",")
KINDS = HEADER[3:8]
CATEGORIES = """ads games live ocr tracker payment push map social framework late-code packer video speech education
network security ui utility storage login update other""".split()

# ---------------------------------------------------------------- too general to mean one library

GENERIC_CLASSES = set("""com.google com.google.android com.google.firebase com.google.android.gms com.android
com.tencent com.tencent.mm com.tencent.qqlive com.baidu com.baidu.android com.alibaba com.alipay com.taobao com.aliyun
com.huawei com.huawei.hms com.xiaomi com.miui com.bytedance com.ss com.ss.android com.kuaishou com.kwai com.netease
com.meituan com.jd com.qihoo com.qihoo360 com.sina com.vivo com.oppo com.heytap com.meizu com.hihonor com.samsung
com.facebook com.microsoft com.amazon com.adobe com.apple com.twitter com.yandex com.oath com.cmcm com.sdk com.base
com.monet com.carto com.hound com.swirl com.ibm org.apache org.json org.mozilla org.chromium androidx android.support
android.app android.content cn.com com.cn io.github com.github com.example com.test com.app org.example
com.unity3d com.mob com.umeng com.iflytek com.youdao""".split())

GENERIC_NATIVES = set("""libmain.so libapp.so libjni.so libtest.so libloader.so libshell.so libexec.so libtup.so libcore.so
libnative.so libnative-lib.so libutility.so libutils.so libwind.so libencrypt.so libauth.so liblogging.so liblogger.so libperf.so
libtable.so libclipboard.so libspell.so libunicode.so libquickphrase.so libimselector.so libfullwidth.so libpunctuation.so
libbox.so libfire.so libhs.so libfb.so libion.so libtag.so libblur.so libXD.so libjs.so libjsenv.so libzip.so libzipw.so
libvad.so libvideodec.so libcrypto.so libssl.so libsense.so libraw.so libgio.so libgeo.so libpatcher.so libdevinfo.so
libc++_shared.so libgnustl_shared.so libstlport_shared.so libvideo_dec.so libvideo_enc.so libindoor.so libxmcore.so
libcipherdb.so libjpeg.so libpng.so libfilterframework_jni.so libcolorpen.so libhandwriting.so libvideoeffect.so
libhigh-available.so libyxbase.so libnesdk.so libdownloadproxy.so libmp3decoder.so libcolorpicker.so libsecsdk.so
libsecurityenv.so libsecuritydevice.so libprocess.so libtable.so libRSSupport.so libhcl.so libwg.so libeffect.so
libsigner.so libblasV8.so librsjni.so librsjni_androidx.so libsdkcore.so libflexbox.so libWTF.so libmediacore.so libmediashow.so
libaudio_preprocessing.so libbankcard.so libpanorenderer.so libsonic.so libvpx.so libmtc.so
libbitmaps.so libdrc.so libcalculator_skel.so libhta.so libmegazord.so libimage_processing_util_jni.so
libsurface_util_jni.so libphotoprocessing.so libNativeImageProcessor.so libclash.so librust.so""".split())

GENERIC_DOMAINS = set("""facebook.com google.com googleapis.com microsoftonline.com login.microsoftonline.com azure.com
management.azure.com amazonaws.com s3.amazonaws.com cloudfront.net akamaihd.net akamai.net edgesuite.net herokudns.com
firebase.com cmcm.com
googlesyndication.com googleadservices.com ads.google.com yahoo.com qq.com baidu.com github.com adobe.com media.net twitter.com daum.net google.cn my.com""".split())

# facts that the lists give to the wrong library, or misspell
MISTAKEN = set("""libAkMatrixReverb.so ibmogosecurity.so ibvirbox32.so libcom.baidu.zeus.so libbankcard* android.net.http.MetaDataHolder
com.prime31.util.IabHelperImpl com.prime31.IAB dmtry.com org.greenbot.eventbus org.greenbot.greendao com.yxcorp.gifshow.ad com.yxcorp.map.advertisement""".split())

# LibChecker labels that say nothing about an app: the platform, runtimes, bare tools, mistaken entries
SKIP_LABELS = set("""C++ Shared|File Provider|logging|perf|jsenv|lib-encrypt|zipw|libauth|multidex|libdevinfo|Google Mobile Service
|Trichrome|libchrome|libmonochrome|APKiD|zipalign|traceroute|tracepath|HardCoder|libsense|HashLips Art Engine|RenderScript|xmCore|XD
|GrapheneOS Sandboxed Google Play|Threadfix|Wlib|Izuko|Bluestar|WAJ|BARDUmix""".replace("\n", "").split("|"))

# ---------------------------------------------------------------- their labels to our categories

LIBCHECKER_CATEGORIES = {
    "ads": "Audience Network|Audience Network SDK|JAd SDK|Tianmu SDK|腾讯流量联盟|MMA SDK|AdColony|BeiZi SDK|TanX",
    "games": "小米游戏 SDK|腾讯游戏 GCloud|腾讯游戏 MSDK|vivo 网游联运 SDK|TapSDK|TapTap 开发者服务|U-Game 金融风控组件",
    "live": "GME|游密|游戏语音 GVoice|AnyChat|JusTalk Cloud|LiveKit|Linphone|PJSIP|OpenTok|WebRTC|Mediastreamer2|librtmp|TRTC SDK"
            "",
    "ocr": "文字识别服务|Tesseract|Leptonica|Google’s Drive API v3",
    "tracker": "1DS|Bugly|Crasheye|AGC APM|QAPM|岳鹰 SDK|U-App SDK|数字联盟可信 ID SDK|Qimei SDK|Instabug|日志服务 SLS|HUAWEI DTM"
               "|Matrix|KOOM|UTDID|Mapbox Mobile Events|Flipper |LeakCanary",
    "payment": "翼支付|王卡 SDK|招商银行 SDK|Stripe SDK|PayPal",
    "push": "FCM|GMP Push SDK|个推|信鸽推送|nubia Push",
    "map": "百度 LBS|OpenMobileMaps|Naver Map|MapLibre Native|Mapbox GL Native|Google Map SDK|wgs2gcj|Jni_wgs2gcj",
    "social": "MobileIMSDK|抖音 SDK|快手开放平台|腾讯开放平台|小红书分享 SDK|mPaaS 社交分享|TDLib|Telegram APIs|Wukong|融云 IM|融云 IM SDK|环信 IM|腾讯云通信"
              "|腾讯云通信 SDK|网易云通信 SDK|ShareSDK|微博 SDK|U-Share",
    "framework": "Easy Mobile|ArkUI-X|Expo|Expo SQLite|Godot Engine|GameMaker Studio|Unreal Engine|Unity|Unity Mono|Burst|React Native|Hermes"
                 "|React Native App Utils|Xamarin|Weex|Nebula SDK|mPaaS|Node.js|python-for-android|Ren'Py|libGDX|libSDL|SDL|cocos2d-cpp|cocos2d-x"
                 "|H5P.Android|DCloud|uni-app|iApp|ZAndrolua|AndroLua|xLua|Artemis Engine|LWJGL|U4 内核|UC 内核|HUAWEI WebView"
                 "|Lib XUL|Mira|VirtualAPK|VirtualApp|RePlugin|Neptune|Qigsaw|GaiaX|GCanvas|jsenv|Lynx|Kraken|kraken|dart2cpp|share_plus|react-native-svg"
                 "|Flutter InAppWebView Plugin|Flutter Pty|react-native-keyboard-controller|react-native-gesture-handler|react-native-sqlite-storage"
                 "|Games plugin for Unity|Unity Ads|U3D|快应用|智能小程序|Donut|Chaquopy|Javet",
    "packer": "能信安科技|nmmp",
    "video": "OvenPlayer|Broadcast SDK for Android|AVPro Video|FFmpeg|LibMpv|OpenH264|x264|视频智能编码引擎|libmpeg2|LAME|HMS Video Kit|HMS Video Kit HDR Vivid|HMS Audio Kit|PlayerSDK|Opus"
             "|opus-jni|opencore-amr|Speex|SoundTouch|Sonic|Vorbis|WebM VP8/VP9|OpenAL|Oboe|MediaInfoLib|Lame-For-Unity|AndroidLame|烈焰弹幕使"
             "|正版曲库直通车|人像美化 SDK|CV SDK|Arcsoft|CRI Sofdec2|CRI ADX2|Steam Audio|libYUV|libhfyuv|Polyv HTML5 Player|PLDroidPlayer|火山引擎云手机 SDK",
    "speech": "AIUI|Cognitive Services Speech SDK|Yandex SpeechKit|思必驰|小爱 SDK|星火认知大模型|离线语音合成|离线语音合成 SDK|腾讯语音识别|Vosk|Krisp AI Voice SDK",
    "network": "PCDN SDK|libp2p|BoringSSL|LibCurl|MongoDB|OpenVPN|WireGuard|Xray Core|sing-box|Trojan-Go|Tun2Socks|HevSocks5Tunnel|Clash Core|TQUIC|XQUIC|quiche|rhttp"
               "|aria2|libaria2|jlibtorrent|libtorrent4j|Torrent library for java|libtnet|Mtop SDK|ENet|DnsChecker|AndServer|Cello|Mozilla NSS|Cronet",
    "security": "Persona Inquiry|屹通 SDK|OpenSSL|Argon2|Sodium|Sofire|Sangfor|LSPatch"
                "|RootBeer|EasyProtector|AntiFakerAndroidChecker|eID SDK|国密套件|人脸核身 SDK|实人认证 SDK|金融级实人认证 SDK|百度人脸识别|腾讯优图 SDK|旷视 SDK"
                "|腾讯御安全|手游安全 SDK|阿里聚安全|网易易盾智能反外挂|顶象无感验证 SDK|同盾设备指纹|数美 SDK|防水墙|CFCA|OPPO 安全检测 SDK|PairIP|滴滴 SDK"
                "|阿里云游戏盾|Juicebox SDK|LibSig|Trust Wallet Core|lib-encrypt|MSA SDK",
    "ui": "AboutLibraries|ApngDrawable|AndroidPhotoFilters|Android NDK GIF|EasyFloat|FloatingX|XPopup|uCrop|android-crop|Matisse|PictureSelector|ReToast|Stretch"
          "|GPUImage|Glide|GlideWebpDecoder|Fresco|Picasso|Lottie|Rive|rlottie|jLottie|GIFLIB|FlexBox|Butter Knife|Material Design Components|Support Library"
          "|Jetpack Compose|Yoga|StackBlur|FrameSequence|PhotoProcessing|PdfViewPager|Legacy Photo Picker|AndroidAutoSize|Google Ink |Filament|GL4ES|angle|PAG",
    "utility": "EventBus|GreenDAO|Google Play Core|APMInsight",
    "storage": "Bmob 后端云|Isar Database|Realm|realm|ObjectBox|SQLite|SQLCipher|MMKV|WCDB|Dropbox Core SDK for Java",
    "login": "AppAuth|Auth0 SDK|Bilibili Oauth SDK|小米账号开放平台|华为帐号服务|极光认证 SDK|闪验 SDK|号码认证服务|阿里云号码认证 SDK|欢太账号授权 SDK|欢太账号 OAuth 授权 SDK"
             "|一键登录 SDK|移动号码认证|Google Sign-In",
    "update": "AndFix|Tinker|Smart App Updates|HDiffPatch|bspatch|DexPatch|阿里移动热修复|RUpgrade|HMS Update|小米更新 SDK|Zucchini",
    "other": "DuMix|ViroCore|PojavLauncher|七鱼 SDK|智齿客服 SDK|美洽客服 SDK|开普勒 SDK|百川电商 SDK - 唤醒手淘|百川电商 SDK - 授权|百川 SDK|乐播 SDK|EasyAR|ARCore|HUAWEI AR Engine|Cardboard SDK"
             "|Google VR SDK|Live2D Cubism SDK|FMOD|Wwise|TUTK SDK|小米 IoT SDK|HUAWEI Health Kit|HUAWEI CaaS Engine|Faceunity Nama SDK|Lofelt SDK",
}
LIBCHECKER_RULES = [  # on the label, when no list above names it; first match wins
    (r"广告|Ads?\b|AppLovin|IronSource|Pangle|AdMob", "ads"), (r"加固", "packer"), (r"推送|Push", "push"), (r"地图|高德", "map"),
    (r"支付|银联|Ping\+\+|Billing|米大师", "payment"), (r"直播|音视频|RTC", "live"), (r"短视频|播放|美摄|Player|LibVLC", "video"),
    (r"分析|Analytics|灯塔|Crash|Sentry|Bugsnag|App Center|DataFinder|ACRA|网易云捕|Performance", "tracker"),
    (r"语音|讯飞", "speech"), (r"Jetpack", "ui"), (r"^Qt\d|Cordova|Taro|TBS|Flutter|Cocos|LayaAir|团结引擎|Egret|FinClip|Hippy", "framework"),
    (r"易盾|爱加密|梆梆", "packer"), (r"HTTPDNS|OkHttp|Retrofit|Okio|Paho|Mars", "network"),
]
# LibChecker draws one icon per maker: the icon's number gives the vendor
LIBCHECKER_VENDORS = {number: vendor for vendor, numbers in {
    "奇虎360": "0", "Airbnb": "1", "阿里巴巴": "2 3", "蚂蚁集团": "4 94", "阿里云": "5", "高德": "6", "百度": "9", "哔哩哔哩": "10",
    "字节跳动": "12 71 86 109 139", "招商银行": "14", "滴滴": "16", "Evernote": "17", "Meta": "18 41 88 96 122",
    "Google": "13 19 20 21 22 23 24 28 33 39 52 58 80 85 101 130", "快应用联盟": "25", "华为": "26", "爱奇艺": "27", "极光": "29 30",
    "快手": "31", "魅族": "34", "Microsoft": "35 60", "网易": "36", "OpenCV": "37", "OPPO": "38", "七牛": "40", "MongoDB": "42", "融云": "43",
    "神策": "44", "Rikka": "45", "Square": "47", "腾讯": "48 49 50 51 131 132 133 142", "友盟": "53", "中国银联": "54", "Unity": "55 123",
    "Epic Games": "56", "vivo": "57", "新浪": "59", "小米": "61 62", "科大讯飞": "63", "知乎": "64", "JetBrains": "65", "Telegram": "66",
    "FFmpeg": "67", "VideoLAN": "68", "PayPal": "69", "Qt": "70", "Sentry": "73", "京东": "74", "Live2D": "79", "Yandex": "81", "个推": "82", "顶象科技": "83",
    "声网": "87", "AppLovin": "90", "Godot": "91", "YoYo Games": "92", "中国移动": "93", "美团": "97", "Mapbox": "100", "网易有道": "103",
    "荣耀": "104", "Software Mansion": "105", "美洽": "106", "Instabug": "107", "Audiokinetic": "110", "Qualcomm": "114", "小红书": "120",
    "旷视": "121", "Unity 中国": "127", "MapLibre": "135", "Expo": "140", "Apache": "141", "Stripe": "143"}.items()
    for number in map(int, numbers.split())}

EXODUS_SKIP = set("Google Ads|Metrics|Mozilla Telemetry|WeChat Location".split("|"))
EXODUS_CATEGORIES = {
    "ads": """Google DoubleClick|Smart|OutBrain|Ligatus|Widespace|AppNexus|Nexage|Ogury Presage|Add Apt Tr|AdsWizz|ChartBoost|Glispa Connect (Formerly Avocarrot)
|NativeX|Smaato|MAdvertise|Amazon Advertisement|Amazon Mobile Associates|Baidu APPX|Baidu Mobile Ads|Inmobi|Millennial Media|Fyber SponsorPay|Supersonic Ads
|Tencent MobWin|AppBrain|Rubicon Project|ironSource|Heyzap (bought by Fyber)|Fiksu|AdFit (Daum)|Adform|Mobvista|Adot|Appodeal|AppMonet|Adincube|Persona.ly
|Cheetah Ads|Criteo|Taboola|Cloudmobi|ADLIB|Appnext|ShallWeAD|Display|Duapps|Tapjoy|Auditude|Integral Ad Science|Axonix|YouAppi|AMoAd|Amobee|Conversant|flymob
|maio by i-mobile|Twitter MoPub|Unity3d Ads|Mintegral|AppLovin (MAX and SparkLabs)|Flymob|Inneractive|Metaps""",
    "tracker": "ComScore|Moat|Upsight|Yinzcam Sobek|Taplytics|PredicIO|Zapr|Coulus Coelib|GIPHY Analytics|Actv8me|Braze (formerly Appboy)|MixPanel|Flurry|TalkingData|myTracker|Verizon Ads|Kochava|Apsalar|Beintoo|Anvato (A Google Company)|360Dialog|Synerise",
    "push": "IBM Mobile Marketing (Acoustic)|Pushwoosh|Urbanairship|OneSignal|Pusher|OpenBack|Facebook Notifications|JiGuang Aurora Mobile JPush|Batch|PushSpring",
    "map": """Locuslabs|Inrix|Baidu Maps|Baidu Location|Baidu Map|Baidu Navigation|Tencent Map LBS|WeChat Location|Mapbox|AutoNavi / Amap|Esri ArcGIS|HyperTrack|Glympse
|Carto (formerly Nutiteq)|IndoorAtlas|Point Inside""",
    "social": "Facebook Login|Facebook Share|Facebook Places|VKontakte SDK|Snapchat Login Kit",
    "login": "AccountKit|Gigya|SAP CDC (Gigya)|Janrain|Jumio|Acuant",
    "video": "JW Player|Brightcove|Ooyala|Tutucloud|Conviva",
    "storage": "Tencent Weiyun|Treasure Data",
    "framework": "Solar2D (Corona)|AppsGeyser",
    "other": "HelpShift|Umeng Feedback|Bazaarvoice|Qualtrics|Wootric|Pollfish|Scandit|ACRCloud|Houndify|Mopinion",
    "utility": "Bolts|Huawei Mobile Services (HMS) Core|AltBeacon|Facebook Flipper",
    "games": "ScoreLoop|AnySDK",
}

PACKER_CATEGORIES = {"google(play)加固": "security", "OPPO安全检测SDK": "security", "腾讯Bugly": "tracker"}
PACKER_SKIP = {"XAPK内嵌", "未知厂商"}


def by_name(table):
    return {name.strip("\n"): category for category, names in table.items() for name in names.split("|")}


# ---------------------------------------------------------------- one library, and what a fact must look like

class Library:
    def __init__(self, name, vendor, category, source):
        self.name, self.vendor, self.category, self.source = name, vendor, category, source
        self.facts = {kind: [] for kind in KINDS}

    def add(self, kind, value):
        if value not in self.facts[kind]:
            self.facts[kind].append(value)

    def key(self):
        return self.name, self.vendor

    def row(self):
        return [self.name, self.vendor, self.category, *(" ".join(self.facts[kind]) for kind in KINDS), self.source]


JAVA_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
COMPONENT = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_][\w$]*)+")
NATIVE = re.compile(r"[\w.+-]+\.so|(lib|OPPO)[\w.+-]{3,}\*")
DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


def fault(kind, value):
    """Why a fact cannot stand, or None."""
    if value in MISTAKEN:
        return "known to be a mistake"
    if kind == "classes":
        if not JAVA_NAME.fullmatch(value):
            return "not a package prefix of two segments or more"
        if value in GENERIC_CLASSES or (value.count(".") == 1 and len(value.split(".")[1]) < 2):
            return "package prefix too general"
    elif kind == "components":
        if not COMPONENT.fullmatch(value):
            return "not a component's class name"
    elif kind == "natives":
        if not NATIVE.fullmatch(value):
            return "not a native library's file name"
        if value in GENERIC_NATIVES:
            return "native library's name too general"
    elif kind == "domains":
        if not DOMAIN.fullmatch(value):
            return "not a domain"
        if value in GENERIC_DOMAINS:
            return "domain too general"
    elif kind == "assets":
        if len(value) < 4 or re.search(r"\s", value):
            return "not an asset's name"
    return None


def covers(kind, known, value):
    """Whether a row that holds `known` already recognises `value`."""
    if known == value:
        return True
    if kind == "natives" and known.endswith("*"):
        return value.rstrip("*").startswith(known[:-1])
    if kind == "domains":
        return value.endswith("." + known)
    if kind == "classes":
        return value.startswith(known + ".")
    return False


class Catalogue:
    """What is known so far, and which library each fact belongs to."""

    def __init__(self):
        self.known = {kind: {} for kind in KINDS}
        self.globs, self.named = {}, {}

    def owner(self, kind, value):
        known = self.known[kind]
        if value in known:
            return known[value]
        if kind in ("classes", "components"):
            parts = value.replace("$", ".").split(".")
            prefixes = (".".join(parts[:n]) for n in range(len(parts), 1, -1))
            return next((self.known["classes"][p] for p in prefixes if p in self.known["classes"]), None)
        if kind == "natives":
            return next((library for glob, library in self.globs.items() if covers(kind, glob, value)), None)
        if kind == "domains":
            parts = value.split(".")
            return next((known[".".join(parts[n:])] for n in range(len(parts) - 1) if ".".join(parts[n:]) in known), None)
        return None

    def learn(self, library):
        self.named.setdefault(library.key(), library)
        for kind in KINDS:
            for value in library.facts[kind]:
                self.known[kind].setdefault(value, library)
                if kind == "natives" and value.endswith("*"):
                    self.globs.setdefault(value, library)


# ---------------------------------------------------------------- the three lists

def literal_prefix(pattern):
    """The literal head of a regular expression, and whether the head is all of it."""
    head, rest = "", pattern
    while rest:
        if rest[0] == "\\" and len(rest) > 1 and not rest[1].isalnum():
            head, rest = head + rest[1], rest[2:]
        elif rest[0] in r"\()[]{}*+?|^$.":
            break
        else:
            head, rest = head + rest[0], rest[1:]
    return head, not rest


def libchecker(folder, dropped):
    categories, libraries = by_name(LIBCHECKER_CATEGORIES), {}
    database = sqlite3.connect(f"file:{folder / 'libchecker-rules.db'}?mode=ro&immutable=1", uri=True)
    query = "select name, label, type, iconIndex, isRegexRule from rules_table order by label, type, name"
    icons = Counter()
    rows = database.execute(query).fetchall()
    vendors = {}
    for _, label, _, icon, _ in rows:
        vendors[label.strip()] = vendors.get(label.strip()) or LIBCHECKER_VENDORS.get(icon, "")
    for name, label, kind, _, is_regex in rows:
        title = label.strip()
        if title in SKIP_LABELS:
            dropped["says nothing about an app (label)"] += 1
            continue
        if kind in (6, 9):
            dropped["static library or intent action: no column"] += 1
            continue
        # 0 native, 1 service, 2 activity, 3 receiver, 4 provider, 5 package; some natives are filed as 4
        column = "natives" if kind == 0 or name.endswith(".so") else "classes" if kind == 5 else "components"
        value = name
        if is_regex:
            head, whole = literal_prefix(name)
            if column == "natives":
                value = head if whole else head + "*"
            else:
                column, cut = "classes", head.rpartition(".")[0]
                if not head.endswith(".") and cut.count(".") < 3:
                    dropped["pattern that no prefix expresses"] += 1
                    continue
                value = cut
        category = categories.get(label) or categories.get(title) or next(
            (c for rule, c in LIBCHECKER_RULES if re.search(rule, title)), "utility")
        library = libraries.setdefault(title, Library(title, vendors[title], category, "libchecker"))
        library.add(column, value)
    return libraries.values()


def exodus(folder, dropped):
    categories = {name.replace("\n", ""): c for name, c in by_name(EXODUS_CATEGORIES).items()}
    trackers = json.loads((folder / "exodus-trackers.json").read_text("utf-8"))["trackers"]
    libraries = {}
    for tracker in sorted(trackers.values(), key=lambda t: t["id"]):
        name, theirs = tracker["name"].strip(), tracker["categories"]
        if name in EXODUS_SKIP:
            dropped["says nothing about an app (name)"] += 1
            continue
        category = categories.get(name) or ("ads" if "Advertisement" in theirs else
                                            "login" if theirs == ["Identification"] else "tracker")
        library = libraries.setdefault(name, Library(name, "", category, "exodus"))
        for signature in filter(None, (tracker["code_signature"] or "").split("|")):
            if signature.startswith("."):
                dropped["name from the middle of a class: no prefix"] += 1
            else:
                library.add("classes", signature.rstrip("."))
        hosts = []
        for signature in filter(None, (tracker["network_signature"] or "").split("|")):
            host = re.sub(r"^(\.\*)?\\?\.", "", signature).replace("\\", "")
            if DOMAIN.fullmatch(host):
                hosts.append(host)
            else:
                dropped["network pattern that no domain expresses"] += 1
        for host in hosts:
            if not any(host.endswith("." + other) for other in hosts):
                library.add("domains", host)
    return libraries.values()


def packers(folder, dropped):
    libraries = []
    for name, entry in json.loads((folder / "packers.json").read_text("utf-8")).items():
        if name in PACKER_SKIP:
            dropped["names no packer"] += 1
            continue
        library = Library(name, "", PACKER_CATEGORIES.get(name, "packer"), "packers")
        for path in entry["soname"] + [p.rpartition("/")[2] for p in entry["sopath"] if "xxx" not in p]:
            library.add("natives", path)
        for pattern in entry["soregex"]:
            head, whole = literal_prefix(pattern)
            if head.endswith(".apk") or len(head) < 6:
                dropped["pattern that no prefix expresses"] += 1
            else:
                library.add("natives", head if whole else head + "*")
        for path in entry["other"] + [p for p in entry["sopath"] if p.startswith("assets/") and "xxx" not in p]:
            if path.startswith("lib/"):
                library.add("natives", path.rpartition("/")[2])
            elif not re.fullmatch(r"assets/(classes\.jar|dex\.dat|sign\.bin|pkgInfo\.txt|itse)|t86", path):
                library.add("assets", path.removeprefix("assets/"))
        for name_of_class in entry.get("jclass", []):
            if name_of_class.startswith("L"):
                library.add("classes", name_of_class[1:].rstrip(";").replace("/", "."))
        libraries.append(library)
    return libraries


# ---------------------------------------------------------------- subtracting, writing, checking

def settle(libraries, catalogue, dropped):
    """Drop faulty and known facts; return the libraries that still say something new."""
    kept = {}
    for library in libraries:
        owners, fresh = set(), {kind: [] for kind in KINDS}
        for kind in KINDS:
            for value in library.facts[kind]:
                reason = fault(kind, value)
                if reason:
                    dropped[reason] += 1
                    continue
                owner = catalogue.owner(kind, value)
                if owner:
                    owners.add(owner)
                    dropped["already known"] += 1
                else:
                    fresh[kind].append(value)
        if not any(fresh.values()):
            dropped["libraries with nothing left"] += 1
            continue
        identity = owners.pop() if len(owners) == 1 else catalogue.named.get(library.key(), library)
        target = kept.setdefault(identity.key(), Library(identity.name, identity.vendor, identity.category, library.source))
        for kind in KINDS:
            for value in fresh[kind]:
                if not any(covers(kind, other, value) for other in target.facts[kind] + fresh[kind] if other != value):
                    target.add(kind, value)
        catalogue.learn(target)
    for library in kept.values():
        for kind in KINDS:
            library.facts[kind].sort()
    return sorted(kept.values(), key=lambda l: (l.category, l.name, l.vendor))


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    libraries = []
    for row in rows[1:]:
        library = Library(row[0], row[1], row[2], row[8])
        for kind, cell in zip(KINDS, row[3:8]):
            library.facts[kind] = cell.split()
        libraries.append(library)
    return rows[0], libraries


def write(path, libraries):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(library.row() for library in libraries)


def check(files):
    """The rules of README.md, over all files together."""
    faults, seen, categories = [], {}, {}
    for path in files:
        header, libraries = read(path)
        if header != HEADER:
            faults.append(f"{path.name}: wrong header")
        order = [(l.category, l.name, l.vendor) for l in libraries]
        if order != sorted(order) or len(set(order)) != len(order):
            faults.append(f"{path.name}: rows not sorted or repeated")
        for library in libraries:
            where = f"{path.name}: {library.name}"
            if not library.name or library.category not in CATEGORIES:
                faults.append(f"{where}: no name, or category {library.category!r}")
            if categories.setdefault(library.key(), library.category) != library.category:
                faults.append(f"{where}: two categories for one library")
            if not any(library.facts.values()):
                faults.append(f"{where}: nothing to match")
            for kind in KINDS:
                for value in library.facts[kind]:
                    reason = fault(kind, value)
                    if reason:
                        faults.append(f"{where}: {value}: {reason}")
                    if seen.setdefault((kind, value), library.key()) != library.key():
                        faults.append(f"{where}: {value} is also of {seen[kind, value][0]}")
    return faults


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder, catalogue, total = Path(sys.argv[1]), Catalogue(), 0
    files = [HERE / f"{name}.csv" for name in ("curated", "packers", "libchecker", "exodus")]
    for library in read(files[0])[1]:
        catalogue.learn(library)
    for path, source in zip(files[1:], (packers, libchecker, exodus)):
        dropped = Counter()
        libraries = settle(source(folder, dropped), catalogue, dropped)
        write(path, libraries)
        print(f"{path.name}: {len(libraries)} rows", file=sys.stderr)
        for reason, count in sorted(dropped.items()):
            print(f"    {count:5} {reason}", file=sys.stderr)
    faults = check(files)
    for line in faults:
        print(line, file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
