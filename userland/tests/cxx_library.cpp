// The library above musl: streams and their state, files, locales, regular
// expressions, time, numbers as text, containers and algorithms.
#include "test.h"
#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <format>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <locale>
#include <map>
#include <numeric>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

namespace fs = std::filesystem;

static void streams()
{
	std::ostringstream o;
	o << std::hex << std::showbase << 255 << ' ' << std::dec << std::setw(6) << std::setfill('*')
	  << -42 << ' ' << std::fixed << std::setprecision(3) << 3.14159 << ' ' << std::boolalpha << true;
	CHECK(o.str() == "0xff ***-42 3.142 true");
	std::istringstream i("12 0x1f 2.5e3 word rest of line\n7");
	int n, h;
	double d;
	std::string word, line;
	CHECK(i >> n >> std::hex >> h >> std::dec >> d >> word && std::getline(i, line));
	CHECK(n == 12 && h == 31 && d == 2500 && word == "word" && line == " rest of line");
	CHECK(i >> n && n == 7 && !(i >> n) && i.eof());
	std::istringstream bad("x");
	bad.exceptions(std::ios::failbit);
	try { bad >> n; CHECK(!"read"); } catch (const std::ios_base::failure &) {}
	std::wostringstream w;
	w << L"wide \u00e4 " << 5;
	CHECK(w.str() == L"wide \u00e4 5");
	std::cout << "to cout" << std::endl;
	CHECK(std::cout.good());
	std::cerr << "";
	CHECK(std::format("{:>5}|{:#x}|{:.2f}|{}", 42, 255, 2.5, "s") == "   42|0xff|2.50|s");
}

static void files()
{
	fs::path dir = fs::temp_directory_path() / "cxx_library";
	fs::remove_all(dir);
	CHECK(fs::create_directories(dir / "a/b"));
	{
		std::ofstream f(dir / "a/file");
		for (int i = 0; i < 1000; i++) f << i << '\n';
	}
	std::ifstream f(dir / "a/file");
	std::vector<int> numbers{std::istream_iterator<int>(f), {}};
	CHECK(numbers.size() == 1000 && std::accumulate(numbers.begin(), numbers.end(), 0) == 499500);
	CHECK(fs::file_size(dir / "a/file") == 3890);
	fs::create_symlink("file", dir / "a/link");
	fs::copy_file(dir / "a/file", dir / "a/b/copy");
	fs::permissions(dir / "a/file", fs::perms::owner_read);
	CHECK(fs::status(dir / "a/link").permissions() == fs::perms::owner_read);
	std::set<std::string> found;
	for (auto &e : fs::recursive_directory_iterator(dir)) found.insert(e.path().lexically_relative(dir));
	CHECK((found == std::set<std::string>{"a", "a/b", "a/b/copy", "a/file", "a/link"}));
	auto age = fs::file_time_type::clock::now() - fs::last_write_time(dir / "a/b/copy");
	CHECK(age < std::chrono::minutes(5) && age > -std::chrono::minutes(5));
	CHECK(fs::read_symlink(dir / "a/link") == "file" && fs::equivalent(dir / "a/file", dir / "a/link"));
	CHECK(fs::space("/").capacity > 0 && fs::canonical(dir / "a/../a/link") == dir / "a/file");
	try { fs::create_directory("/proc/no/such"); CHECK(!"created"); } catch (const fs::filesystem_error &e) {
		CHECK(e.code() == std::errc::no_such_file_or_directory && e.path1() == "/proc/no/such");
	}
	CHECK(fs::remove_all(dir) == 6 && !fs::exists(dir));
	std::ifstream missing("/no/such");
	CHECK(!missing);
}

static void text()
{
	std::regex date("(\\d{4})-(\\d\\d)-(\\d\\d)");
	std::smatch m;
	std::string s = "from 2024-11-17 to 2025-02-03.";
	CHECK(std::regex_search(s, m, date) && m[1] == "2024" && m.prefix() == "from ");
	CHECK(std::regex_replace(s, date, "$3.$2.$1") == "from 17.11.2024 to 03.02.2025.");
	CHECK(std::distance(std::sregex_iterator(s.begin(), s.end(), date), {}) == 2);
	try { std::regex bad("(["); CHECK(!"compiled"); } catch (const std::regex_error &e) {
		CHECK(e.code() == std::regex_constants::error_brack);
	}
	char buffer[40];
	auto end = std::to_chars(buffer, buffer + 40, 0.1).ptr;
	CHECK(std::string(buffer, end) == "0.1");
	int value;
	const char digits[] = "99999999999";
	CHECK(std::from_chars(digits, digits + 11, value).ec == std::errc::result_out_of_range);
	CHECK(std::stod("1.5e300") == 1.5e300 && std::to_string(1ull << 40) == "1099511627776");
	CHECK(std::stold("0.1") == 0.1L);
	CHECK(std::locale().name() == "C" && std::locale("C.UTF-8").name() == "C.UTF-8");
	try { std::locale none("xx_YY"); } catch (const std::runtime_error &) {}
	CHECK(std::use_facet<std::ctype<char>>(std::locale()).toupper('x') == 'X');
}

static void the_rest()
{
	using namespace std::chrono;
	auto begin = steady_clock::now();
	CHECK(steady_clock::now() >= begin && year_month_day(sys_days(2024y / 2 / 29)).ok());
	auto now = system_clock::now().time_since_epoch();
	CHECK(duration_cast<hours>(now).count() > 480000);
	std::random_device random;
	CHECK(random() != random() || random() != random());
	std::mt19937_64 engine(1);
	engine.discard(9999);
	std::vector<int> v(1000);
	std::iota(v.begin(), v.end(), 0);
	std::shuffle(v.begin(), v.end(), engine);
	CHECK(!std::is_sorted(v.begin(), v.end()));
	std::ranges::sort(v);
	CHECK(std::is_sorted(v.begin(), v.end()) && std::ranges::binary_search(v, 500));
	std::unordered_map<std::string, int> words;
	std::istringstream all("a b a c b a");
	for (std::string w; all >> w;) words[w]++;
	CHECK(words.size() == 3 && words["a"] == 3);
	std::map<int, std::string> ordered{{3, "c"}, {1, "a"}, {2, "b"}};
	CHECK(ordered.begin()->second == "a" && ordered.lower_bound(2)->second == "b");
	CHECK(std::error_code(ENOENT, std::generic_category()).message() == "No such file or directory");
}

int main()
{
	streams();
	files();
	text();
	the_rest();
}
